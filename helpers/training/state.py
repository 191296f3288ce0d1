"""Everything that changes during a training run, and so everything that a checkpoint must hold."""

import copy

import torch

from helpers.training.batches import shuffled


class Batch(tuple):
    """The tensors of one batch; of several processes, each has its share of the rows.

    Attributes
    ----------
    size : int
        Rows of the batch, over all processes.
    random : torch.Generator
        For what is random here, on the device: another one in every process.
    """

    def __new__(cls, tensors, size, state):
        """Put the tensors into a tuple, and remember where they are from."""
        batch = super().__new__(cls, tensors)
        batch.size = size
        batch.state = state
        batch.random = state.random
        return batch

    def noise(self, draw):
        """Return this process's share of the noise for the whole batch.

        Parameters
        ----------
        draw : callable
            ``draw(size, generator)`` gives a tensor of `size` rows on the device of the generator.
        """
        return self.state.share(draw(self.size, self.state.common))

    def weighted(self, loss):
        """Weigh a mean over this share, so that the processes' mean is that over all rows."""
        world = self.state.fabric.world_size
        if world == 1:
            return loss
        share = len(self[0]) / self.size
        return loss * (share * world)


class Losses:
    """The losses of the steps since the last entry, on the device, so that no step waits for them.

    Parameters
    ----------
    every : int
        Steps from one entry to the next.
    device : torch.device
    """

    def __init__(self, every, device):
        self.every = every
        self.device = device
        self.columns = {}  # by name: a tensor, one number a step

    def note(self, step, losses):
        """Note the named losses of a step, whose number counts from 0.

        Raises
        ------
        TypeError
            If they are not one number each.
        ValueError
            If their names are not those of the step before.
        """
        if not self.columns:
            self._begin(losses)
        if losses.keys() != self.columns.keys():
            raise ValueError(
                f"expected the losses {', '.join(self.columns)} in each step, as in the first, "
                f"found {', '.join(losses)}: return all of them each time, under the same names"
            )
        row = step % self.every
        for name, loss in losses.items():
            self.columns[name][row] = loss.detach()

    def _begin(self, losses):
        if not isinstance(losses, dict) or not losses:
            raise _no_losses(losses)
        for name, loss in losses.items():
            if not torch.is_tensor(loss) or loss.ndim:
                raise _no_losses(loss)
            self.columns[name] = torch.zeros(self.every, device=self.device)

    def since(self, steps, fabric=None):
        """Return the losses of so many steps: lists of float by name.

        Parameters
        ----------
        steps : int
        fabric : lightning_fabric.Fabric, optional
            For the mean over all of its processes.
        """
        if not steps:
            return {}
        values = torch.stack([column[:steps] for column in self.columns.values()])
        if fabric is not None:
            values = fabric.all_reduce(values)
        return dict(zip(self.columns, values.tolist(), strict=True))

    def state_dict(self):
        """Return the losses by name."""
        return self.columns

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        self.columns = {name: column.to(self.device) for name, column in saved.items()}


def _no_losses(found):
    what = type(found).__name__
    if torch.is_tensor(found):
        what = f"a tensor of shape {tuple(found.shape)}"
    return TypeError(
        "expected a step to return named losses, a dictionary of tensors with one number each, "
        f"found {what}: return for example {{'training': loss}}"
    )


class State:
    """What changes in a game: networks, optimisers, random numbers, and the place in the data.

    Parameters
    ----------
    game : helpers.training.loop.Game
    history : History
    losses : Losses
    fabric : lightning_fabric.Fabric
    seed : int

    Attributes
    ----------
    done : int
        Steps made.
    order : torch.Generator
        Of the order of the samples: the same in every process.
    common : torch.Generator
        Of noise, on the device: the same in every process, each of which takes its share.
    random : torch.Generator
        Of augmentation, on the device: another in every process.
    position : int
        Batches of the present pass through the data that are done.
    """

    def __init__(self, game, history, losses, fabric, seed):
        self.fabric = fabric
        self.history = history
        self.losses = losses
        self.networks = game.networks
        self.parts = _distinct(
            game.networks,
            game.parts,
            {"game": game, "history": history, "losses": losses},
            {"precision": fabric.strategy.precision},
        )
        self.done = 0
        own_seed = seed + fabric.global_rank
        self.order = torch.Generator().manual_seed(seed)
        self.common = torch.Generator(fabric.device).manual_seed(seed)
        self.random = torch.Generator(fabric.device).manual_seed(own_seed)
        torch.manual_seed(own_seed)
        self.pass_order = self.order.get_state()
        self.position = 0
        self.good = None
        self.remember()

    def batches(self, data, batch_size, whole):
        """Yield the batches that are left of this pass through the data, and of all that follow.

        Parameters
        ----------
        data : Samples
        batch_size : int
        whole : bool
            Leave out what does not fill a batch at the end of a pass.

        Yields
        ------
        Batch
        """
        while True:
            yield from self._one_pass(data, batch_size, whole)

    def _one_pass(self, data, batch_size, whole):
        world = self.fabric.world_size
        self.order.set_state(self.pass_order)
        batches = shuffled(len(data), batch_size, self.order, world, whole, data.rows_on)
        left = batches[self.position :]
        shares = map(self.share, left)
        for rows, tensors in zip(left, data.batches(shares), strict=True):
            self.position += 1
            yield Batch(tensors, len(rows), self)
        self.pass_order = self.order.get_state()
        self.position = 0

    def share(self, tensor):
        """Return this process's share of the rows of a batch."""
        return tensor[self.fabric.global_rank :: self.fabric.world_size]

    def remember(self):
        """Remember the weights as good ones, to go back to if training fails."""
        if self.good is None:
            self.good = {
                name: copy.deepcopy(network.state_dict()) for name, network in self.networks.items()
            }
        for name, network in self.networks.items():
            for part, value in network.state_dict().items():
                self.good[name][part].copy_(value)

    def restore(self):
        """Give the networks the weights that were last known to be good."""
        for name, network in self.networks.items():
            network.load_state_dict(self.good[name])

    def state_dict(self):
        """Return the whole state; of several processes, all must ask together."""
        generators = {"random": self.random.get_state(), "torch": torch.get_rng_state()}
        if self.fabric.device.type == "cuda":
            generators["cuda"] = torch.cuda.get_rng_state(self.fabric.device)
        place = {
            "done": self.done,
            "pass_order": self.pass_order,
            "position": self.position,
            "common": self.common.get_state(),
        }
        return {
            "parts": {name: part.state_dict() for name, part in self.parts.items()},
            "generators": {name: self._of_all(state) for name, state in generators.items()},
            "place": place,
        }

    def _of_all(self, generator):
        """The states of a generator in all processes, one a row."""
        gathered = self.fabric.all_gather(generator)
        return gathered.reshape(self.fabric.world_size, -1).cpu()

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        for name, part in self.parts.items():
            part.load_state_dict(saved["parts"][name])
        place = saved["place"]
        self.done = place["done"]
        self.pass_order = place["pass_order"]
        self.position = place["position"]
        self.common.set_state(place["common"])
        rank = self.fabric.global_rank
        own = {name: states[rank].clone() for name, states in saved["generators"].items()}
        self.random.set_state(own["random"])
        torch.set_rng_state(own["torch"])
        if "cuda" in own:
            torch.cuda.set_rng_state(own["cuda"], self.fabric.device)
        self.remember()


def _distinct(*groups):
    """All entries of some dictionaries in one."""
    whole = {}
    for group in groups:
        if twice := sorted(whole.keys() & group.keys()):
            raise ValueError(
                f"expected a name of its own for each network and part of a game, found {twice[0]} "
                "twice: call one of them otherwise (game, history, losses and precision are taken)"
            )
        whole |= group
    return whole
