"""`fit` and `predict`: supervised training of one network, with everything around it."""

import copy
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from tqdm.auto import tqdm

from helpers.training import checkpoints
from helpers.training.batches import as_tuple, in_order, n_batches, shuffled, to_tensors
from helpers.training.history import History


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what to change."""


@lru_cache
def default_fabric():
    """Return the Fabric of this process: the GPU if there is one, else the CPU, in single precision."""
    fabric = Fabric(accelerator="auto", devices=1)
    fabric.launch()
    return fabric


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
    patience=None,
    best=True,
    augment=None,
    channels_last=False,
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
        to the model, or to the loss, one after the other.
    loss : callable
        ``loss(prediction, *targets)`` gives the mean over the batch as a scalar tensor.
    epochs, batch_size : int
    learning_rate : float
        Largest learning rate of AdamW.
    weight_decay : float
        Decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).
    schedule : {"one-cycle", "constant"}
        The one-cycle schedule warms up for 30 % of the steps and then anneals to almost nothing
        (Smith & Topin 2019, arXiv:1708.07120).
    patience : int, optional
        Stop when the validation loss has not improved for so many epochs.
    best : bool
        End with the weights of the epoch with the lowest validation loss, if there are validation data.
    augment : callable, optional
        ``augment(inputs, generator)`` changes a training batch on the device.
    channels_last : bool
        Memory order of images; the faster one depends on network and device.
    checkpoint : path, optional
        Where the state is kept after each epoch. Run the same call again after an interruption, and
        training goes on from there; a checkpoint of other settings, data or network is not used.
    seed : int
        Of the order of the samples, and of everything random in the model.
    fabric : lightning_fabric.Fabric, optional
        Device and precision; by default the GPU if there is one.
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
        If the loss is no longer finite.
    """
    fabric = fabric or default_fabric()
    n_inputs = len(as_tuple(train[0]))
    data = to_tensors((*as_tuple(train[0]), *as_tuple(train[1])), fabric.device)
    held_out = to_tensors((*as_tuple(validation[0]), *as_tuple(validation[1])), fabric.device) if validation else ()
    if batch_size < 1:
        raise ValueError(f"expected a batch_size of at least 1, found {batch_size}")
    model.to(fabric.device)
    if any(isinstance(weight, nn.UninitializedParameter) for weight in model.parameters()):
        model(*[tensor[:2] for tensor in data[:n_inputs]])  # lazy layers learn their sizes
    if channels_last:
        model.to(memory_format=torch.channels_last)
    torch.manual_seed(seed)
    state = _State(
        model, fabric, learning_rate, weight_decay, schedule, epochs * n_batches(len(data[0]), batch_size), seed
    )
    settings = dict(loss=loss, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    settings |= dict(weight_decay=weight_decay, schedule=schedule, patience=patience, best=best, augment=augment)
    settings |= dict(channels_last=channels_last, precision=fabric._precision.precision)
    path = checkpoint and Path(checkpoint)
    belongs_to = path and checkpoints.fingerprint(model, (*data, *held_out), settings)
    saved = path and checkpoints.load(path, belongs_to)
    if saved:
        state.load_state_dict(saved["state"])

    history = state.history
    with tqdm(total=epochs, initial=len(history), unit="epoch", disable=not progress, leave=False) as bar:
        while len(history) < epochs and not history.stopped_early:
            start = time.perf_counter()
            history.train_loss.append(_train_epoch(state, data, n_inputs, loss, batch_size, augment))
            history.learning_rate.append(state.scheduler.get_last_lr()[0])
            if held_out:
                value = _mean_loss(state.module, held_out, n_inputs, loss)
                history.validation_loss.append(_finite(value, "validation", len(history)))
                state.keep_best(best)
                history.stopped_early = patience is not None and len(history) - state.best_epoch >= patience
            history.seconds.append(time.perf_counter() - start)
            if path:
                checkpoints.save(path, {"fingerprint": belongs_to, "state": state.state_dict()})
            bar.set_postfix({name: f"{losses[-1]:.4g}" for name, losses in history.losses().items()})
            bar.update()
    if state.best_weights is not None:
        model.load_state_dict(state.best_weights)
        history.best_epoch = state.best_epoch
    return history


class _State:
    """Everything that changes during a training run, and so everything that a checkpoint must hold."""

    def __init__(self, model, fabric, learning_rate, weight_decay, schedule, steps, seed):
        optimiser = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay, fused=True)
        self.model = model
        self.module, self.optimiser = fabric.setup(model, optimiser)
        self.scheduler = _scheduler(schedule, optimiser, learning_rate, steps)
        self.fabric = fabric
        self.generator = torch.Generator(fabric.device).manual_seed(seed)
        self.history = History()
        self.best_loss, self.best_epoch, self.best_weights = np.inf, 0, None

    def keep_best(self, weights):
        """Note whether this epoch has the lowest validation loss so far, and keep its weights if asked to."""
        if self.history.validation_loss[-1] < self.best_loss:
            self.best_loss, self.best_epoch = self.history.validation_loss[-1], len(self.history)
            self.best_weights = copy.deepcopy(self.model.state_dict()) if weights else None

    def state_dict(self):
        random_state = {"batches": self.generator.get_state(), "torch": torch.get_rng_state()}
        if self.fabric.device.type == "cuda":
            random_state["cuda"] = torch.cuda.get_rng_state(self.fabric.device)
        best = {"loss": self.best_loss, "epoch": self.best_epoch, "weights": self.best_weights}
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimiser", "scheduler", "history")}
        return parts | {"best": best, "random": random_state}

    def load_state_dict(self, saved):
        for name in ("model", "optimiser", "scheduler", "history"):
            getattr(self, name).load_state_dict(saved[name])
        self.best_loss, self.best_epoch, self.best_weights = saved["best"].values()
        self.generator.set_state(saved["random"]["batches"])
        torch.set_rng_state(saved["random"]["torch"])
        if "cuda" in saved["random"]:
            torch.cuda.set_rng_state(saved["random"]["cuda"], self.fabric.device)


def _scheduler(schedule, optimiser, learning_rate, steps):
    if schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=max(steps, 2))
    if schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    raise ValueError(f"expected schedule 'one-cycle' or 'constant', found {schedule!r}")


def _train_epoch(state, data, n_inputs, loss, batch_size, augment):
    """Train for one epoch and return the mean loss; the device is asked for it once, at the end."""
    state.module.train()
    total = torch.zeros((), device=data[0].device)
    for rows in shuffled(len(data[0]), batch_size, state.generator):
        batch = [tensor[rows] for tensor in data]
        inputs, targets = batch[:n_inputs], batch[n_inputs:]
        if augment:
            inputs = as_tuple(augment(*inputs, state.generator))
        value = loss(state.module(*inputs), *targets)
        state.fabric.backward(value)
        state.optimiser.step()
        state.optimiser.zero_grad(set_to_none=True)
        state.scheduler.step()
        total += value.detach() * len(rows)
    return _finite(total.item() / len(data[0]), "training", len(state.history) + 1)


def _finite(mean, which, epoch):
    if not np.isfinite(mean):
        raise TrainingError(
            f"expected a finite {which} loss, found {mean} in epoch {epoch}: "
            "lower learning_rate, or look for NaN in inputs and targets"
        )
    return mean


@torch.inference_mode()
def _mean_loss(module, data, n_inputs, loss, batch_size=1024):
    """Mean loss over all rows, in order, with the model in evaluation mode."""
    module.eval()
    total = torch.zeros((), device=data[0].device)
    for rows in in_order(len(data[0]), batch_size):
        batch = [tensor[rows].clone() for tensor in data]
        total += loss(module(*batch[:n_inputs]), *batch[n_inputs:]) * len(batch[0])
    return total.item() / len(data[0])


@torch.inference_mode()
def predict(model, inputs, *, batch_size=1024, fabric=None):
    """Apply a network in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : array or tuple of arrays
        One row a sample; a tuple is passed to the model one after the other.
    batch_size : int
        Rows at a time.
    fabric : lightning_fabric.Fabric, optional
        As in `fit`.

    Returns
    -------
    numpy.ndarray, or tuple of them where the model returns a tuple
        One row a sample, in the order of `inputs`.
    """
    fabric = fabric or default_fabric()
    data = to_tensors(inputs, fabric.device)
    model.to(fabric.device).eval()
    with fabric.autocast():
        outputs = [model(*[tensor[rows] for tensor in data]) for rows in in_order(len(data[0]), batch_size)]
    if isinstance(outputs[0], tuple):
        return tuple(torch.cat(parts).cpu().numpy() for parts in zip(*outputs, strict=True))
    return torch.cat(outputs).cpu().numpy()
