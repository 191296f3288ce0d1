"""Failing well: one sentence that says what was expected, what was found and what to do, before any time is lost."""

import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import nn


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what to change."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C after a whole step; the message says how to go on."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]  # all that a notebook shows of it


@contextmanager
def explained(batch_size, targets=()):
    """Turn the errors of PyTorch that participants meet into a `TrainingError` that says what to do.

    Parameters
    ----------
    batch_size : int
    targets : tuple of torch.Tensor
        A batch of targets, so that labels can be named.
    """
    try:
        yield
    except (RuntimeError, IndexError, ValueError) as error:
        text = str(error)
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
            raise TrainingError(
                f"out of memory with batch_size={batch_size}: lower batch_size, make the network smaller, "
                "use mixed=True on a GPU, or pass data larger than memory as numpy.memmap"
            ) from error
        labels = [target for target in targets if not target.is_floating_point()]
        if labels and (
            "out of bounds" in text or "device-side assert" in text or "is out of range" in text
        ):
            raise TrainingError(
                f"labels out of range ({text.splitlines()[0]}): expected whole numbers from 0 to classes - 1, found "
                f"{'labels that the GPU refused' if 'device-side' in text else _range(labels[0])}: "
                "count the classes from 0, and give the last layer one output a class"
            ) from error
        if "more than 1 value per channel" in text:
            raise TrainingError(
                "batch normalisation needs two samples in a batch at least, found one: use more samples, or a larger batch"
            ) from error
        raise


def check_processes(fabric, batch_size, *sets):
    """Check that each process has something to do.

    Raises
    ------
    ValueError
    """
    world = fabric.world_size
    sizes = [
        batch_size,
        *(
            len(part[0][0] if isinstance(part[0], list | tuple) else part[0])
            for part in sets
            if part
        ),
    ]
    if world > 1 and min(sizes) < 2 * world:
        raise ValueError(
            f"expected at least two samples for each of {world} processes in a batch and in a set, found {min(sizes)}: "
            "use more samples, a larger batch, or fewer processes"
        )


def _range(labels):
    return f"{labels.min().item()} to {labels.max().item()}"


def try_out(model, inputs, targets=(), loss=None, labels=None):
    """Apply the network, and the loss, to two samples, so that what does not fit is said before training.

    Nothing changes: evaluation mode, no gradients, the state of the random numbers kept.

    Parameters
    ----------
    model : torch.nn.Module
        Lazy layers learn their sizes.
    inputs, targets : tuple of torch.Tensor
        Two rows, or one where there is but one.
    loss : callable, optional
    labels : torch.Tensor, optional
        The first target of the whole set.

    Returns
    -------
    Whatever the network gives.

    Raises
    ------
    TrainingError
        If inputs, network and targets do not fit together.
    """
    mode = model.training
    devices = [inputs[0].device] if inputs[0].device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings(
            "error", message="Using a target size"
        )  # PyTorch's, of a loss that broadcasts
        try:
            with explained(len(inputs[0])):
                prediction = model.eval()(*inputs)
        except TrainingError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise TrainingError(
                f"the network does not take samples of shape {_shapes(inputs)} ({str(error).splitlines()[0]}): "
                "look at the shape of the inputs and at the sizes of the layers"
            ) from error
        finally:
            model.train(mode)
        if loss is None:
            return prediction
        _fitting(prediction, targets, loss)
        if labels is not None and torch.is_tensor(prediction):
            check_labels(prediction, labels, loss)
        with explained(len(inputs[0]), targets if labels is None else (labels,)):
            try:
                value = loss(prediction, *targets)
            except (RuntimeError, ValueError, IndexError, UserWarning) as error:
                if isinstance(error, torch.OutOfMemoryError) or "out of bounds" in str(error):
                    raise
                _fitting(prediction, targets, loss, whatever=isinstance(error, UserWarning))
                made = prediction if isinstance(prediction, tuple) else (prediction,)
                raise TrainingError(
                    f"the loss does not take predictions of shape {_shapes(made)} and targets of shape "
                    f"{_shapes(targets)} ({str(error).splitlines()[0]}): look at both shapes and at the loss"
                ) from error
        if not (torch.is_tensor(value) and value.ndim == 0):
            found = (
                f"shape {tuple(value.shape)}" if torch.is_tensor(value) else type(value).__name__
            )
            raise TrainingError(
                f"expected the loss to be one number (the mean over the batch), found {found}"
            )
    return prediction


def _shapes(tensors):
    return ", ".join(str(tuple(tensor.shape[1:])) for tensor in tensors)


def _fitting(prediction, targets, loss, whatever=False):
    """Check shapes and kinds; where a prediction may hold more than there are targets, only if not `whatever`."""
    if not (torch.is_tensor(prediction) and targets):
        return
    found, wanted = tuple(prediction.shape), tuple(targets[0].shape)
    if (
        targets[0].is_floating_point()
        and found != wanted
        and (
            whatever
            or [size for size in found[1:] if size > 1] == [size for size in wanted[1:] if size > 1]
        )
    ):
        raise TrainingError(
            f"expected predictions and targets of the same shape, found {found[1:]} and {wanted[1:]} a sample, which "
            "a loss would compare each with each: reshape the targets, or squeeze the prediction"
        )
    if not is_cross_entropy(loss) and not targets[0].is_floating_point() and found == wanted:
        raise TrainingError(
            f"expected targets with decimals for predictions of shape {found[1:]}, found {targets[0].dtype}: "
            "convert them to float, or use cross_entropy for classes"
        )


def is_cross_entropy(loss):
    """Return whether a loss is PyTorch's own for classes, in whatever way it is wrapped."""
    if isinstance(loss, partial):
        return is_cross_entropy(loss.func)
    return loss in (nn.functional.cross_entropy, nn.functional.nll_loss) or isinstance(
        loss, nn.CrossEntropyLoss | nn.NLLLoss
    )


def check_labels(prediction, labels, loss):
    """Check that all labels name a class, before a GPU stops at one that does not.

    Parameters
    ----------
    prediction : torch.Tensor, shape (n, classes, ...)
    labels : torch.Tensor of int
        Of the whole set.
    loss : callable
        Checked only for PyTorch's own losses for classes.

    Raises
    ------
    TrainingError
    """
    if (
        not is_cross_entropy(loss)
        or labels.is_floating_point()
        or prediction.ndim < 2
        or labels.dtype == torch.bool
    ):
        return
    ignored = getattr(loss, "keywords", {}).get("ignore_index", getattr(loss, "ignore_index", -100))
    counted, classes = labels[labels != ignored], prediction.shape[1]
    if len(counted) and (counted.min() < 0 or counted.max() >= classes):
        raise TrainingError(
            f"expected labels from 0 to {classes - 1} for the {classes} outputs of the network, found "
            f"{_range(counted)}: count the classes from 0, and give the last layer one output a class"
        )


def check_finite(losses, first, which, data=None, unit="step"):
    """Check that all losses are finite numbers.

    Parameters
    ----------
    losses : array of float
        One a step, or another unit.
    first : int
        Number of the first of them, from 1.
    which : str
        What is trained, for the message.
    data : Samples, optional
        What it is trained on: looked at for the cause.
    unit : str
        What is counted.

    Raises
    ------
    TrainingError
        With the step, the loss and the likely cause.
    """
    losses = np.asarray(losses, dtype=float)
    bad = np.flatnonzero(~np.isfinite(losses))
    if not len(bad):
        return
    before = losses[: bad[0]]
    raise TrainingError(
        f"expected a finite {which} loss, found {losses[bad[0]]} in {unit} {first + bad[0]}"
        + (f" after {', '.join(f'{value:.3g}' for value in before[-3:])}" if len(before) else "")
        + f": {_cause(before, data)}"
    )


def _cause(before, data):
    for tensor in data.arrays if data else ():
        if torch.is_tensor(tensor) and tensor.is_floating_point():
            bad = (~torch.isfinite(tensor.flatten(1) if tensor.ndim > 1 else tensor[:, None])).any(
                dim=1
            )
            if bad.any():
                rows = bad.nonzero().flatten().tolist()
                return f"{len(rows)} sample(s) of shape {tuple(tensor.shape[1:])} are not finite, the first in row {rows[0]}: remove or mend them"
    if len(before) > 1 and abs(before[-1]) > 10 * abs(np.median(before)):
        return "the losses before it were growing: lower learning_rate, or pass clip_norm=1.0"
    return "lower learning_rate, and look in the loss for a logarithm, a root or a division that meets zero"


def finite_weights(modules):
    """Return whether all weights of these networks are finite; one question to the device."""
    weights = [weight for module in modules for weight in module.parameters()]
    return bool(torch.stack(torch._foreach_norm(weights)).isfinite().all()) if weights else True
