"""`fit` and `predict`: supervised training of one network, with everything around it."""

import copy
import time

import numpy as np
import torch

from helpers.training import checkpoints
from helpers.training.batches import Samples, as_tuple, in_order, n_batches
from helpers.training.devices import compiled, default_fabric
from helpers.training.failures import check_finite, check_processes, explained, try_out
from helpers.training.history import History
from helpers.training.session import Session
from helpers.training.state import State


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
        Changed in place, and left on the device.
    train, validation : tuple (inputs, targets)
        Arrays or tensors with one row a sample; each of the two may be a tuple of arrays, which are passed
        to the model, or to the loss, one after the other. They are copied to the device; a `numpy.memmap` (or
        `Rows` of one) stays on the disk and is read ahead of the training.
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
        arXiv:1608.03983). A callable gives the factor of the learning rate for the fraction of the steps done.
    clip_norm : float, optional
        Largest norm of the gradient, all weights together (Pascanu et al. 2013, arXiv:1211.5063).
    patience : int, optional
        Stop when the validation loss has not improved for so many epochs.
    best : bool
        End with the weights of the epoch with the lowest validation loss, if there are validation data.
    augment : callable, optional
        ``augment(*inputs, generator)`` changes a training batch on the device.
    channels_last : bool
        Memory order of images; the faster one depends on network and device.
    mixed : bool
        Half precision where the device gains from it; not with a `fabric` of your own, which has its precision.
    compile : bool
        Compile the network, where that works (`torch.compile`); worth its minute on a GPU.
    checkpoint : path, optional
        Where the state is kept, every second or so. Run the same call again after an interruption, and
        training goes on from there; where it is finished, its result is taken over. A checkpoint that is
        damaged, or of other settings, data, code or initial weights, is moved aside.
    seed : int
        Of the order of the samples, and of everything random in the model.
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
        If there are no data, or if inputs and targets differ in length.
    TrainingError
        If data, network and loss do not fit together, the loss is no longer finite, or memory is used up. The
        network then has the weights of the last good epoch.
    TrainingInterrupted
        At Ctrl-C, after the step that was begun.
    """
    torch.set_grad_enabled(True)  # a Ctrl-C, pressed often enough, may have left them off
    if batch_size < 1:
        raise ValueError(f"expected a batch_size of at least 1, found {batch_size}")
    fabric = fabric or default_fabric(mixed)
    check_processes(fabric, batch_size, train, validation)
    settings = dict(
        loss=loss, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed
    )
    settings |= dict(
        weight_decay=weight_decay,
        schedule=schedule,
        clip_norm=clip_norm,
        patience=patience,
        best=best,
    )
    settings |= dict(
        augment=augment, channels_last=channels_last, precision=fabric.strategy.precision.precision
    )
    settings |= dict(compile=compile, processes=fabric.world_size)
    n_inputs = len(as_tuple(train[0]))
    model.to(fabric.device)
    with explained(batch_size):
        sets = [
            _samples(part, fabric.device, channels_last)
            for part in (train, validation)
            if part is not None
        ]
    keeper = checkpoints.Keeper(checkpoint, {"model": model}, sets, settings, fabric)
    for samples in sets:
        _try_out(model, samples, n_inputs, loss)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    data, held_out = sets[0], sets[1] if len(sets) > 1 else None
    steps = n_batches(len(data), batch_size, fabric.world_size)

    network = compiled(model, data.tensors(slice(0, batch_size))[:n_inputs]) if compile else model
    fused = not (
        clip_norm and getattr(fabric.strategy.precision, "scaler", None)
    )  # Fabric cannot clip with both
    optimiser = torch.optim.AdamW(
        model.parameters(), learning_rate, weight_decay=weight_decay, fused=fused
    )
    scheduler = _scheduler(schedule, optimiser, learning_rate, epochs * steps)
    network, stepper = fabric.setup(network, optimiser)
    history = History()
    state = State(
        fabric, seed, history, {"model": model}, {"optimiser": optimiser, "scheduler": scheduler}
    )
    state.values = {"losses": torch.zeros(steps, device=fabric.device)}
    state.values |= {"best_loss": np.inf, "best_epoch": 0, "best_weights": None}
    if saved := keeper.load():
        state.load_state_dict(saved)
        if len(history) == epochs or history.stopped_early:
            keeper.say_finished()

    def train_step(size, *batch):
        inputs, targets = batch[:n_inputs], batch[n_inputs:]
        with explained(batch_size, targets):
            if augment:
                inputs = as_tuple(augment(*inputs, state.random))
            value = loss(network(*inputs), *targets)
            if not session.alone:  # the mean over the processes is then that over the samples
                value = value * (len(batch[0]) * fabric.world_size / size)
            fabric.backward(value)
            if clip_norm:
                fabric.clip_gradients(
                    network, stepper, max_norm=clip_norm, error_if_nonfinite=False
                )
            stepper.step()
            stepper.zero_grad(set_to_none=True)
        scheduler.step()
        state.values["losses"][state.position - 1] = value.detach()

    def check():
        losses = state.values["losses"][: state.position].tolist()
        check_finite(losses, len(history) * steps + 1, "training", data)

    with Session(
        state, keeper, epochs * steps, len(history) * steps + state.position, check, progress
    ) as session:
        while len(history) < epochs and not history.stopped_early:
            epoch, start = len(history) + 1, time.perf_counter()
            network.train()
            for size, batch in state.one_pass(data, batch_size):
                train_step(size, *batch)
                session.step()
            sizes = [batch_size] * (steps - 1) + [len(data) - batch_size * (steps - 1)]
            losses = fabric.all_reduce(state.values["losses"]).tolist()
            check_finite(losses, len(history) * steps + 1, "training", data)
            history.train_loss.append(float(np.average(losses, weights=sizes)))
            history.learning_rate.append(scheduler.get_last_lr()[0])
            if held_out:
                history.validation_loss.append(
                    _mean_loss(network, held_out, n_inputs, loss, fabric, batch_size)
                )
                check_finite(
                    history.validation_loss[-1:], epoch, "validation", held_out, unit="epoch"
                )
                _keep_best(state, best)
                history.stopped_early = (
                    patience is not None and epoch - state.values["best_epoch"] >= patience
                )
            history.seconds.append(time.perf_counter() - start)
            state.remember()
            session.entry(finished=len(history) == epochs or history.stopped_early)
    if state.values["best_weights"] is not None:
        model.load_state_dict(state.values["best_weights"])
        history.best_epoch = state.values["best_epoch"]
    session.leave()
    return history


def _samples(part, device, channels_last):
    return Samples((*as_tuple(part[0]), *as_tuple(part[1])), device, channels_last)


def _try_out(model, samples, n_inputs, loss):
    """See whether samples, network and loss fit together, and whether all labels name a class."""
    batch = samples.tensors(slice(0, 2))
    labels = [array for array in samples.arrays[n_inputs:] if torch.is_tensor(array)]
    try_out(model, batch[:n_inputs], batch[n_inputs:], loss, labels[0] if labels else None)


def _keep_best(state, weights):
    """Note whether this epoch has the lowest validation loss so far, and keep its weights if asked to."""
    epoch, value = len(state.history.validation_loss), state.history.validation_loss[-1]
    if value < state.values["best_loss"]:
        state.values |= {"best_loss": value, "best_epoch": epoch}
        if weights:
            state.values["best_weights"] = copy.deepcopy(state.networks["model"].state_dict())


def _scheduler(schedule, optimiser, learning_rate, steps):
    schedules = torch.optim.lr_scheduler
    if schedule == "one-cycle":
        return schedules.OneCycleLR(optimiser, learning_rate, total_steps=max(steps, 2))
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
def _mean_loss(network, samples, n_inputs, loss, fabric, batch_size):
    """Mean loss over all rows, in order, with the network in evaluation mode; processes share the rows."""
    network.eval()
    total = torch.zeros((), device=fabric.device)
    rows = torch.arange(len(samples))[fabric.global_rank :: fabric.world_size]
    for batch in samples.batches(torch.split(rows.to(samples.rows_on), 4 * batch_size)):
        with explained(batch_size, batch[n_inputs:]):
            total += loss(network(*batch[:n_inputs]), *batch[n_inputs:]) * len(batch[0])
    return fabric.all_reduce(total, reduce_op="sum").item() / len(samples)


@torch.inference_mode()
def predict(model, inputs, *, batch_size=1024, fabric=None):
    """Apply a network in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : array or tuple of arrays
        One row a sample; a tuple is passed to the model one after the other. As in `fit`, a `numpy.memmap` is
        streamed.
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
    with explained(batch_size), fabric.autocast():
        outputs = [model(*batch) for batch in samples.batches(in_order(len(samples), batch_size))]
    if isinstance(outputs[0], tuple):
        return tuple(_array(parts) for parts in zip(*outputs, strict=True))
    return _array(outputs)


def _array(parts):
    whole = torch.cat(parts)
    return (whole.float() if whole.is_floating_point() else whole).cpu().numpy()
