"""`fit` and `predict`: supervised training of one network, with everything around it."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from helpers.training.batches import Samples, as_tuple, in_order, n_batches
from helpers.training.devices import compiled, default_fabric
from helpers.training.failures import at_least_one, explained, try_out
from helpers.training.loop import Game, play


@dataclass(frozen=True)
class Options:
    """The settings of `fit` that are not those of every game; each counts for a checkpoint.

    Attributes
    ----------
    loss, learning_rate, weight_decay, schedule, clip_norm, patience
        As in `fit`; so are `best`, `augment`, `channels_last` and `compile`.
    """

    loss: Callable
    learning_rate: float
    weight_decay: float
    schedule: str | Callable
    clip_norm: float | None
    patience: int | None
    best: bool
    augment: Callable | None
    channels_last: bool
    compile: bool


def fit(
    model,
    train,
    validation=None,
    *,
    loss,
    epochs,
    batch_size=128,
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="one-cycle",
    clip_norm=None,
    patience=None,
    best=True,
    augment=None,
    channels_last=False,
    mixed=False,
    compile=False,
    checkpoint=None,
    seed=0,
    fabric=None,
    progress=True,
):
    """Train a network.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, and left on the device, in evaluation mode.
    train, validation : tuple (inputs, targets)
        Arrays or tensors with one row a sample; each of the two may be a tuple of arrays, which are
        passed to the model, or to the loss, one after the other. They are copied to the device; a
        `numpy.memmap` (or `Rows` of one) stays on the disk and is read ahead of the training.
    loss : callable
        ``loss(prediction, *targets)`` gives the mean over the batch as a scalar tensor.
    epochs, batch_size : int
    learning_rate : float
        Largest learning rate of AdamW.
    weight_decay : float
        Decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).
    schedule : {"one-cycle", "cosine", "constant"} or callable
        The one-cycle schedule warms up for 30 % of the steps and then anneals to almost nothing
        (Smith & Topin 2019, arXiv:1708.07120); "cosine" only anneals (Loshchilov & Hutter 2017,
        arXiv:1608.03983). A callable gives the factor of the learning rate for the fraction of the
        steps done.
    clip_norm : float, optional
        Largest norm of the gradient, all weights together (Pascanu et al. 2013, arXiv:1211.5063).
    patience : int, optional
        Stop when the validation loss has not improved for so many epochs.
    best : bool
        End with the weights of the epoch with the lowest validation loss, if there are validation
        data.
    augment : callable, optional
        ``augment(*inputs, generator)`` changes a training batch on the device.
    channels_last : bool
        Memory order of images; the faster one depends on network and device.
    mixed : bool
        Half precision where the device gains from it; not with a `fabric` of your own, which has
        its precision.
    compile : bool
        Compile the network, where that works (`torch.compile`); worth its minute on a GPU.
    checkpoint : path, optional
        Where the state is kept, every second or so. Run the same call again after an interruption,
        and training goes on from there; where it is finished, its result is taken over. A
        checkpoint that is damaged, or of other settings, data, code or initial weights, is moved
        aside.
    seed : int
        Of the order of the samples, and of everything random in the model.
    fabric : lightning_fabric.Fabric, optional
        Device, precision and number of processes; by default the GPU if there is one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    History
        With the curves "training" and, where there are validation data, "validation".

    Raises
    ------
    ValueError
        If there are no data, or if inputs and targets differ in length.
    TrainingError
        If data, network and loss do not fit together, the loss is no longer finite, or memory is
        used up. The network then has the weights of the last good epoch.
    TrainingInterrupted
        At Ctrl-C, after the step that was begun.
    """
    at_least_one(batch_size=batch_size)
    fabric = fabric or default_fabric(mixed)
    options = Options(
        loss=loss,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        schedule=schedule,
        clip_norm=clip_norm,
        patience=patience,
        best=best,
        augment=augment,
        channels_last=channels_last,
        compile=compile,
    )
    model.to(fabric.device)
    sets = []
    for part in (train, validation):
        if part is not None:
            arrays = (*as_tuple(part[0]), *as_tuple(part[1]))
            with explained(batch_size):
                sets.append(Samples(arrays, fabric.device, channels_last))
    n_inputs = len(as_tuple(train[0]))
    for samples in sets:
        _try_out(model, samples, n_inputs, loss)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    network = model
    if compile:
        network = compiled(model, sets[0].tensors(slice(0, batch_size))[:n_inputs])
    steps = epochs * n_batches(len(sets[0]), batch_size, fabric.world_size)
    game = Supervised(model, network, n_inputs, options, steps, batch_size, fabric)
    return play(
        game,
        *sets,
        epochs=epochs,
        batch_size=batch_size,
        checkpoint=checkpoint,
        seed=seed,
        fabric=fabric,
        progress=progress,
    )


def _try_out(model, samples, n_inputs, loss):
    """See whether samples, network and loss fit together, and whether all labels name a class."""
    batch = samples.tensors(slice(0, 2))
    targets = [array for array in samples.arrays[n_inputs:] if torch.is_tensor(array)]
    try_out(model, batch[:n_inputs], batch[n_inputs:], loss, targets[0] if targets else None)


class Supervised(Game):
    """The game of `fit`: one network, and one loss that it makes small.

    Parameters
    ----------
    model, network : torch.nn.Module
        The plain network, and the same one as it is to be called, compiled perhaps.
    n_inputs : int
        So many tensors of a batch are inputs; the others are targets.
    options : Options
    steps, batch_size : int
        Of the whole training; rows of a batch.
    fabric : lightning_fabric.Fabric
    """

    several_processes = True

    def __init__(self, model, network, n_inputs, options, steps, batch_size, fabric):
        scaled = getattr(fabric.strategy.precision, "scaler", None)
        optimiser = torch.optim.AdamW(
            model.parameters(),
            options.learning_rate,
            weight_decay=options.weight_decay,
            fused=not (options.clip_norm and scaled),  # Fabric cannot clip with both
        )
        self.options = options
        self.n_inputs = n_inputs
        self.batch_size = batch_size
        self.fabric = fabric
        self.scheduler = make_scheduler(optimiser, options, steps)
        self.best = Best()
        self.networks = {"model": model}
        self.parts = {"optimiser": optimiser, "scheduler": self.scheduler, "best": self.best}
        self.network, self.optimiser = fabric.setup(network, optimiser)

    def step(self, batch):
        """Make the loss of a batch smaller."""
        options = self.options
        inputs = batch[: self.n_inputs]
        targets = batch[self.n_inputs :]
        with explained(self.batch_size, targets):
            if options.augment:
                inputs = as_tuple(options.augment(*inputs, batch.random))
            loss = batch.weighted(options.loss(self.network(*inputs), *targets))
            self.fabric.backward(loss)
            if options.clip_norm:
                self.fabric.clip_gradients(
                    self.network,
                    self.optimiser,
                    max_norm=options.clip_norm,
                    error_if_nonfinite=False,
                )
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
        self.scheduler.step()
        return {"training": loss}

    def validate(self, batch):
        """Return the loss of some samples."""
        inputs = batch[: self.n_inputs]
        targets = batch[self.n_inputs :]
        with explained(self.batch_size, targets):
            return {"validation": self.options.loss(self.network(*inputs), *targets)}

    def at_entry(self, history):
        """Keep the best weights, and stop if there have been no better ones for long."""
        history.learning_rate.append(self.scheduler.get_last_lr()[0])
        if "validation" not in history.curves:
            return
        epoch = len(history)
        weights = self.networks["model"].state_dict() if self.options.best else None
        self.best.compare(history.curves["validation"][-1], epoch, weights)
        patience = self.options.patience
        if patience is not None:
            history.stopped_early = epoch - self.best.epoch >= patience

    def at_end(self, history):
        """End with the best weights."""
        if self.best.weights is not None:
            self.networks["model"].load_state_dict(self.best.weights)
            history.best_epoch = self.best.epoch

    def settings(self):
        """Return the options: all else is made from them."""
        return vars(self.options)  # asdict would copy what they hold: a loss can hold a network


class Best:
    """The epoch with the lowest validation loss so far, and its weights if they are asked for."""

    def __init__(self):
        self.loss = math.inf
        self.epoch = 0
        self.weights = None

    def compare(self, loss, epoch, weights=None):
        """Note this epoch, and keep a copy of its weights, if it is the best one."""
        if loss < self.loss:
            self.loss = loss
            self.epoch = epoch
            self.weights = copy.deepcopy(weights)

    def state_dict(self):
        """Return all of it."""
        return dict(vars(self))

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        vars(self).update(saved)


def make_scheduler(optimiser, options, steps):
    """Return the schedule of the learning rate that the options ask for.

    Raises
    ------
    ValueError
        If there is no such schedule.
    """
    schedules = torch.optim.lr_scheduler
    schedule = options.schedule
    if schedule == "one-cycle":
        return schedules.OneCycleLR(optimiser, options.learning_rate, total_steps=max(steps, 2))
    if schedule == "cosine":
        return schedules.CosineAnnealingLR(optimiser, max(steps, 1))
    if schedule == "constant":
        return schedules.ConstantLR(optimiser, factor=1.0)
    if callable(schedule):
        return schedules.LambdaLR(optimiser, lambda step: schedule(step / max(steps, 1)))
    raise ValueError(
        f"expected schedule 'one-cycle', 'cosine', 'constant' or a function, found {schedule!r}"
    )


@torch.inference_mode()
def predict(model, inputs, *, batch_size=1024, fabric=None):
    """Apply a network in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : array or tuple of arrays
        One row a sample; a tuple is passed to the model one after the other. As in `fit`, a
        `numpy.memmap` is streamed.
    batch_size : int
        Rows at a time.
    fabric : lightning_fabric.Fabric, optional
        As in `fit`.

    Returns
    -------
    numpy.ndarray, or tuple of them where the model returns a tuple
        One row a sample, in the order of `inputs`.

    Raises
    ------
    TrainingError
        If the network does not take these samples, or memory is used up.
    """
    fabric = fabric or default_fabric()
    model.to(fabric.device)
    with explained(batch_size):
        samples = Samples(inputs, fabric.device)
    try_out(model, samples.tensors(slice(0, 2)))
    model.eval()
    batches = samples.batches(in_order(len(samples), batch_size))
    with explained(batch_size), fabric.autocast():
        outputs = [model(*batch) for batch in batches]
    if isinstance(outputs[0], tuple):
        return tuple(_array(parts) for parts in zip(*outputs, strict=True))
    return _array(outputs)


def _array(parts):
    whole = torch.cat(parts)
    if whole.is_floating_point():
        whole = whole.float()
    return whole.cpu().numpy()
