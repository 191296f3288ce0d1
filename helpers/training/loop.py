"""One loop for every game: order of the samples, checkpoints, history, way back to good weights."""

import time
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass

import numpy as np
import torch

from helpers.training.batches import Samples, batch_sizes
from helpers.training.checkpoints import Keeper
from helpers.training.devices import default_fabric
from helpers.training.failures import at_least_one, check_finite, check_processes, explained
from helpers.training.history import History
from helpers.training.session import Session
from helpers.training.state import Losses, State

ENTRIES = 50  # of the history, where it is not said after how many steps one is made
VALIDATION_BATCHES = 4  # so many at a time: without gradients, they need less memory
PLAIN = (int, float, bool, str, type(None))


class Game:
    """What is trained, and one step of it; all else is done by `play`.

    A game of your own is a class made from this one, with a `step`. What changes while it is played
    must stand in `networks` or in `parts`, or be an attribute that is a number, a text or a tensor;
    then it goes on from a checkpoint as if nothing had happened. Its other attributes are settings:
    a checkpoint of other settings, or of other code, is not used.

    Attributes
    ----------
    networks : dict of str to torch.nn.Module
        By name. `play` moves them to the device, and puts them into training mode.
    parts : dict of str to object
        Whatever else has ``state_dict`` and ``load_state_dict``, by name: optimisers, schedules,
        averages.
    batches_a_step : int
        So many batches are given to each step.
    several_processes : bool
        Whether the game itself sees to it that processes that play it together stay together.
    """

    networks: dict
    parts: dict
    batches_a_step = 1
    several_processes = False

    def step(self, batch):
        """Learn from a batch.

        Parameters
        ----------
        batch : helpers.training.state.Batch
            A tuple of tensors on the device, one for each array of the data. Where `batches_a_step`
            is k, the step is given k of them, one after the other.

        Returns
        -------
        dict of str to torch.Tensor
            Named losses, one number each: the same names in each step. They are not waited for.
        """
        raise NotImplementedError

    def validate(self, batch):
        """Return the named losses of some validation samples: means over them, one number each.

        Called without gradients, with the networks in evaluation mode; only where there are
        validation data. The curve of a name that a loss of `step` has too is called "validation
        NAME".

        Parameters
        ----------
        batch : tuple of torch.Tensor
        """
        raise NotImplementedError

    def at_entry(self, history):
        """Look at the history after each entry, and add to it what you like.

        Called without gradients, with random numbers of its own, and with the networks in
        evaluation mode. ``history.add_metrics`` takes numbers, ``history.snapshots[step]`` weights;
        ``history.stopped_early = True`` ends the game.
        """

    def at_end(self, history):
        """Leave the networks as they are to be: with the best weights, say."""

    def settings(self):
        """Return what the result depends on, by name, besides the networks and the data."""
        settings = {"game": type(self)} | vars(self) | self.parts
        del settings["networks"], settings["parts"]
        return settings

    def state_dict(self):
        """Return the attributes that are numbers, texts or tensors."""
        kept = (*PLAIN, torch.Tensor)
        return {name: value for name, value in vars(self).items() if type(value) in kept}

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        for name, value in saved.items():
            if torch.is_tensor(value):
                value = value.to(getattr(self, name).device)
            setattr(self, name, value)


@dataclass(frozen=True)
class Plan:
    """How long a game is played, and with which batches: settings of every checkpoint.

    Attributes
    ----------
    epochs, steps, every
        As in `play`; either `epochs` is None or the other two are.
    batch_size, seed : int
    """

    epochs: int | None
    steps: int | None
    every: int | None
    batch_size: int
    seed: int

    def total(self, an_epoch):
        """Return the number of steps, where an epoch has so many."""
        return self.steps if self.epochs is None else self.epochs * an_epoch


def planned(game, epochs, steps, every, batch_size, seed):
    """Return the plan of a game, with each number that was left open.

    Raises
    ------
    ValueError
        If it is not said how long to play, or twice, or a number makes no sense.
    """
    if (steps is None) == (epochs is None):
        raise ValueError("expected either steps= or epochs=, found both or none: pass one of them")
    at_least_one(batch_size=batch_size, batches_a_step=game.batches_a_step)
    if steps is not None:
        at_least_one(steps=steps)
        every = every or max(steps // ENTRIES, 1)
    elif every is not None or game.batches_a_step > 1:
        raise ValueError(
            "expected steps= for a game with every=, or with several batches a step, found "
            "epochs=: pass steps= instead"
        )
    return Plan(epochs, steps, every, batch_size, seed)


def play(
    game,
    data,
    validation=None,
    *,
    steps=None,
    epochs=None,
    every=None,
    batch_size=64,
    checkpoint=None,
    seed=0,
    fabric=None,
    progress=True,
):
    """Play a game: train its networks, step by step.

    Parameters
    ----------
    game : Game
        Its networks are changed in place, left on the device, and in evaluation mode.
    data, validation : array or tuple of arrays, or Samples
        One row a sample; a batch has a tensor for each array. They are copied to the device; a
        `numpy.memmap` (or `Rows` of one) stays on the disk and is read ahead of the training.
    steps : int, optional
        How long to play: so many steps, in whole batches; with an entry of the history every so
        many.
    epochs : int, optional
        Or: so many passes through all the data, with an entry after each.
    every : int, optional
        Steps between two entries; a fiftieth of all where it is not given.
    batch_size : int
        Rows of a batch, over all processes.
    checkpoint : path, optional
        Where the state is kept, every second or so. Run the same call again after an interruption,
        and training goes on from there; where it is finished, its result is taken over. A
        checkpoint that is damaged, or of other settings, data, code or initial weights, is moved
        aside.
    seed : int
        Of the order of the samples, and of everything random in the game.
    fabric : lightning_fabric.Fabric, optional
        Device, precision and number of processes; by default the GPU if there is one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If there are no data, arrays differ in length, or the plan makes no sense.
    TrainingError
        If a loss is no longer finite, or memory is used up. The networks then have the weights that
        they had at the last entry.
    TrainingInterrupted
        At Ctrl-C, after the step that was begun.
    """
    torch.set_grad_enabled(True)  # a Ctrl-C, pressed often enough, may have left them off
    plan = planned(game, epochs, steps, every, batch_size, seed)
    fabric = fabric or default_fabric()
    for network in game.networks.values():
        network.to(fabric.device)
    with explained(batch_size):
        sets = [_samples(part, fabric.device) for part in (data, validation) if part is not None]
    check_processes(fabric, batch_size, sets, game.several_processes)

    def settings():
        machine = {"precision": fabric.strategy.precision.precision, "processes": fabric.world_size}
        return asdict(plan) | machine | game.settings()

    keeper = Keeper(checkpoint, game.networks, sets, settings, fabric)
    match = _Match(game, sets, plan, fabric)
    history = match.history
    if saved := keeper.load():
        match.state.load_state_dict(saved)
        history.snapshots = keeper.load_snapshots(history.steps)
        if match.finished():
            keeper.say_finished()
    session = Session(match.state, keeper, match.total, match.check, progress)
    with session, closing(match.batches), explained(batch_size):
        while not match.finished():
            start = time.perf_counter()
            match.to_next_entry(session)
            match.enter()
            history.seconds.append(time.perf_counter() - start)
            if match.state.done in history.snapshots:
                keeper.save_snapshot(match.state.done, history.snapshots[match.state.done])
            match.state.remember()
            session.entry(match.finished())
    game.at_end(history)
    session.leave()
    return history


def _samples(data, device):
    return data if isinstance(data, Samples) else Samples(data, device)


@contextmanager
def own_random_numbers(device, seed):
    """Draw random numbers apart from those of the training, which goes on as if none were drawn."""
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng([device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed(seed)
        yield


class _Match:
    """One game as it is played: its samples, its plan, and how far it is."""

    def __init__(self, game, sets, plan, fabric):
        self.game = game
        self.plan = plan
        self.fabric = fabric
        self.data = sets[0]
        self.held_out = sets[1] if len(sets) > 1 else None
        self.sizes = batch_sizes(len(self.data), plan.batch_size, fabric.world_size)
        self.every = plan.every or len(self.sizes)
        self.total = plan.total(len(self.sizes))
        self.history = History()
        losses = Losses(self.every, fabric.device)
        self.state = State(game, self.history, losses, fabric, plan.seed)
        by_steps = plan.epochs is None
        self.batches = self.state.batches(self.data, plan.batch_size, whole=by_steps)

    def finished(self):
        """Whether the last entry is made."""
        return len(self.history) * self.every >= self.total or self.history.stopped_early

    def since_entry(self):
        """Steps made since the last entry."""
        return max(self.state.done - len(self.history) * self.every, 0)

    def to_next_entry(self, session):
        """Make the steps up to the next entry."""
        for network in self.game.networks.values():
            network.train()
        due = min((len(self.history) + 1) * self.every, self.total)
        while self.state.done < due:
            self._step()
            session.step()

    def _step(self):
        batches = [next(self.batches) for _ in range(self.game.batches_a_step)]
        losses = self.game.step(*batches)
        self.state.losses.note(self.state.done, losses)
        self.state.done += 1

    def check(self, fabric=None):
        """Return the losses since the last entry, by name; raise if one of them is not finite."""
        steps = self.since_entry()
        losses = self.state.losses.since(steps, fabric)
        for name, values in losses.items():
            check_finite(values, self.state.done - steps + 1, name, self.data)
        return losses

    def enter(self):
        """Make an entry of the history, and let the game look at it."""
        losses = self.check(self.fabric)
        weights = None if self.plan.epochs is None else self.sizes
        means = {name: np.average(values, weights=weights) for name, values in losses.items()}
        self.history.add_losses(means)
        if self.plan.epochs is None:
            self.history.steps.append(self.state.done)
        for network in self.game.networks.values():
            network.eval()
        if self.held_out:
            self.history.add_losses(self._validation_losses())
        with own_random_numbers(self.fabric.device, self.state.done), torch.no_grad():
            self.game.at_entry(self.history)

    @torch.inference_mode()
    def _validation_losses(self):
        """Mean losses over all validation samples, in order; processes share the rows."""
        samples = self.held_out
        rows = torch.arange(len(samples))[self.fabric.global_rank :: self.fabric.world_size]
        parts = torch.split(rows.to(samples.rows_on), VALIDATION_BATCHES * self.plan.batch_size)
        sums = {}
        for batch in samples.batches(parts):
            for name, loss in self.game.validate(batch).items():
                so_far = sums.get(name, torch.zeros((), device=self.fabric.device))
                sums[name] = so_far + loss * len(batch[0])
        by_steps = self.plan.epochs is None
        number = self.state.done if by_steps else len(self.history)
        unit = "step" if by_steps else "epoch"
        means = {}
        for name, part in sums.items():
            own = f"validation {name}" if name in self.state.losses.columns else name
            whole = self.fabric.all_reduce(part, reduce_op="sum")
            means[own] = whole.item() / len(samples)
            check_finite([means[own]], number, own, samples, unit=unit)
        return means
