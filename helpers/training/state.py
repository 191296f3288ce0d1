"""Everything that changes during a training run, and so everything that a checkpoint must hold."""

import copy

import torch

from helpers.training.batches import shuffled


class State:
    """The networks, optimisers, random numbers and the place in the data of a run.

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
    seed : int
    history : History
    networks : dict of str to torch.nn.Module
        The plain ones, not those that Fabric wraps.
    others : dict of str to object
        Whatever else has ``state_dict`` and ``load_state_dict``: optimisers, schedules, averages.

    Attributes
    ----------
    values : dict
        Plain numbers, tensors and dictionaries of them that the loop counts in.
    order : torch.Generator
        Of the order of the samples: the same in every process.
    common : torch.Generator
        Of noise, on the device: the same in every process, each of which takes its share.
    random : torch.Generator
        Of augmentation, on the device: another in every process.
    position : int
        Batches of the present pass through the data that are done.
    """

    def __init__(self, fabric, seed, history, networks, others):
        self.fabric, self.history, self.networks = fabric, history, networks
        self.parts = {
            "history": history,
            **networks,
            **others,
            "precision": fabric.strategy.precision,
        }
        self.values = {}
        self.order = torch.Generator().manual_seed(seed)
        self.common = torch.Generator(fabric.device).manual_seed(seed)
        self.random = torch.Generator(fabric.device).manual_seed(seed + fabric.global_rank)
        torch.manual_seed(seed + fabric.global_rank)
        self.pass_order, self.position = self.order.get_state(), 0
        self.good = None
        self.remember()

    def one_pass(self, data, batch_size, whole=False):
        """Yield the batches that are left of one pass through the data.

        Yields
        ------
        size : int
            Rows of the batch, over all processes.
        batch : tuple of torch.Tensor
            This process's share of them.
        """
        self.order.set_state(self.pass_order)
        batches = shuffled(
            len(data), batch_size, self.order, self.fabric.world_size, whole, data.rows_on
        )
        batches = batches[self.position :]
        for rows, batch in zip(batches, data.batches(map(self.share, batches)), strict=True):
            self.position += 1
            yield len(rows), batch
        self.pass_order, self.position = self.order.get_state(), 0

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
        world = self.fabric.world_size
        generators = {
            name: self.fabric.all_gather(state).reshape(world, -1).cpu()
            for name, state in generators.items()
        }
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        place = {
            "pass_order": self.pass_order,
            "position": self.position,
            "common": self.common.get_state(),
        }
        return {"parts": parts, "values": self.values, "generators": generators, "place": place}

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        for name, part in self.parts.items():
            part.load_state_dict(saved["parts"][name])
        for name, value in saved["values"].items():
            self.values[name] = value.to(self.fabric.device) if torch.is_tensor(value) else value
        self.pass_order, self.position = saved["place"]["pass_order"], saved["place"]["position"]
        self.common.set_state(saved["place"]["common"])
        states = {
            name: states[self.fabric.global_rank].clone()
            for name, states in saved["generators"].items()
        }
        self.random.set_state(states["random"])
        torch.set_rng_state(states["torch"])
        if "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"], self.fabric.device)
        self.remember()
