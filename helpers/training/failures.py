"""Failing well: one sentence on what was expected, what was found and what to do."""

import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import nn

GROWN = 10  # a loss has grown if it is so many times as large as is usual before
COUNT_FROM_0 = "count the classes from 0, and give the last layer one output a class"
SHOWN = 3  # losses before the one that is not finite


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and what to change."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C after a whole step; the message says how to go on."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]  # all that a notebook shows of it


@contextmanager
def explained(batch_size, targets=()):
    """Turn errors of PyTorch that participants meet into a `TrainingError` that says what to do.

    Parameters
    ----------
    batch_size : int
    targets : tuple of torch.Tensor
        A batch of targets, so that labels can be named.
    """
    try:
        yield
    except TrainingError:
        raise
    except (RuntimeError, IndexError, ValueError) as error:
        advice = _advice(error, batch_size, targets)
        if advice:
            raise TrainingError(advice) from error
        raise


def _advice(error, batch_size, targets):
    """What to do about an error of PyTorch; None if it is none of those that participants meet."""
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
        return (
            f"out of memory with batch_size={batch_size}: lower batch_size, make the network "
            "smaller, use mixed=True on a GPU, or pass data larger than memory as numpy.memmap"
        )
    labels = [target for target in targets if not target.is_floating_point()]
    of_labels = ("out of bounds", "device-side assert", "is out of range")
    if labels and any(words in text for words in of_labels):
        found = "labels that the GPU refused" if "device-side" in text else _range(labels[0])
        return (
            f"labels out of range ({_first_line(error)}): expected whole numbers from 0 to "
            f"classes - 1, found {found}: {COUNT_FROM_0}"
        )
    if "more than 1 value per channel" in text:
        return (
            "batch normalisation needs two samples in a batch at least, found one: use more "
            "samples, or a larger batch"
        )
    return None


def _first_line(error):
    return str(error).splitlines()[0]


def _range(labels):
    return f"{labels.min().item()} to {labels.max().item()}"


def at_least_one(**numbers):
    """Check that numbers, given by name, are 1 or more.

    Raises
    ------
    ValueError
    """
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"expected {name} of at least 1, found {value}")


def check_processes(fabric, batch_size, sets, allowed):
    """Check that several processes can play together, and that each has something to do.

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
    batch_size : int
        Over all processes.
    sets : list of Samples
    allowed : bool
        Whether the game is one for several processes.

    Raises
    ------
    ValueError
    """
    world = fabric.world_size
    if world == 1:
        return
    if not allowed:
        raise ValueError(
            f"expected one process for a game of your own, found {world}, whose networks would "
            "learn apart from each other: start one process only"
        )
    least = min(batch_size, *map(len, sets))
    if least < 2 * world:
        raise ValueError(
            f"expected at least two samples for each of {world} processes in a batch and in a set, "
            f"found {least}: use more samples, a larger batch, or fewer processes"
        )


def try_out(model, inputs, targets=(), loss=None, labels=None):
    """Apply network and loss to two samples, so that what does not fit is said before training.

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
    devices = [inputs[0].device] if inputs[0].device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.no_grad():
        prediction = _try_network(model, inputs)
        if loss is not None:
            _try_loss(loss, prediction, targets, labels)
    return prediction


def _try_network(model, inputs):
    mode = model.training
    try:
        with explained(len(inputs[0])):
            return model.eval()(*inputs)
    except TrainingError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise TrainingError(
            f"the network does not take samples of shape {_shapes(inputs)} ({_first_line(error)}): "
            "look at the shape of the inputs and at the sizes of the layers"
        ) from error
    finally:
        model.train(mode)


def _try_loss(loss, prediction, targets, labels):
    comparable = torch.is_tensor(prediction) and len(targets) > 0
    if comparable:
        check_decimals(prediction, targets[0], loss)
        if same_but_for_ones(prediction, targets[0]):
            check_same_shape(prediction, targets[0])
    if labels is not None and torch.is_tensor(prediction):
        check_labels(prediction, labels, loss)
    try:
        with explained(len(targets[0]) if targets else 1, targets if labels is None else (labels,)):
            value = _without_broadcasting(loss, prediction, targets)
    except (TrainingError, torch.OutOfMemoryError):
        raise
    except (RuntimeError, ValueError, IndexError, UserWarning) as error:
        if comparable and isinstance(error, UserWarning):
            check_same_shape(prediction, targets[0])
        made = prediction if isinstance(prediction, tuple) else (prediction,)
        raise TrainingError(
            f"the loss does not take predictions of shape {_shapes(made)} and targets of shape "
            f"{_shapes(targets)} ({_first_line(error)}): look at both shapes and at the loss"
        ) from error
    if not torch.is_tensor(value) or value.ndim:
        found = type(value).__name__
        if torch.is_tensor(value):
            found = f"shape {tuple(value.shape)}"
        raise TrainingError(
            f"expected the loss to be one number (the mean over the batch), found {found}"
        )


def _without_broadcasting(loss, prediction, targets):
    """The loss; PyTorch's warning that it compares each with each is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Using a target size")
        return loss(prediction, *targets)


def _shapes(tensors):
    return ", ".join(str(tuple(tensor.shape[1:])) for tensor in tensors)


def same_shape(prediction, target):
    """Return whether there is a target for each number that is predicted, and for nothing else."""
    return prediction.shape == target.shape


def same_but_for_ones(prediction, target):
    """Return whether the shapes of a sample are the same but for axes of length 1."""
    found, wanted = (
        [size for size in array.shape[1:] if size > 1] for array in (prediction, target)
    )
    return found == wanted


def check_same_shape(prediction, target):
    """Check that predictions have the shape of targets that are no classes.

    Raises
    ------
    TrainingError
    """
    if target.is_floating_point() and not same_shape(prediction, target):
        found, wanted = (tuple(array.shape[1:]) for array in (prediction, target))
        raise TrainingError(
            f"expected predictions and targets of the same shape, found {found} and {wanted} a "
            "sample, which a loss would compare each with each: reshape the targets, or squeeze "
            "the prediction"
        )


def check_decimals(prediction, target, loss):
    """Check that targets are no classes where each is compared with a prediction.

    Raises
    ------
    TrainingError
    """
    classes = is_cross_entropy(loss) or target.is_floating_point()
    if not classes and same_shape(prediction, target):
        raise TrainingError(
            f"expected targets with decimals for predictions of shape {_shapes([prediction])}, "
            f"found {target.dtype}: convert them to float, or use cross_entropy for classes"
        )


def is_cross_entropy(loss):
    """Return whether a loss is PyTorch's own for classes, in whatever way it is wrapped."""
    if isinstance(loss, partial):
        return is_cross_entropy(loss.func)
    own = (nn.functional.cross_entropy, nn.functional.nll_loss)
    return loss in own or isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss)


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
    numbers = labels.is_floating_point() or labels.dtype == torch.bool
    if not is_cross_entropy(loss) or numbers or prediction.ndim < 2:
        return
    of_module = getattr(loss, "ignore_index", -100)  # PyTorch's own
    ignored = getattr(loss, "keywords", {}).get("ignore_index", of_module)
    counted = labels[labels != ignored]
    classes = prediction.shape[1]
    if len(counted) and (counted.min() < 0 or counted.max() >= classes):
        raise TrainingError(
            f"expected labels from 0 to {classes - 1} for the {classes} outputs of the network, "
            f"found {_range(counted)}: {COUNT_FROM_0}"
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
        Name of the loss.
    data : Samples, optional
        What it is the loss of: looked at for the cause.
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
    place = bad[0]
    before = losses[:place]
    after = ""
    if len(before):
        last = ", ".join(f"{value:.3g}" for value in before[-SHOWN:])
        after = f" after {last}"
    raise TrainingError(
        f"expected a finite {which} loss, found {losses[place]} in {unit} {first + place}{after}: "
        f"{_cause(before, data)}"
    )


def _cause(before, data):
    """The likely cause of a loss that is not finite, and what to do about it."""
    for tensor in data.arrays if data else ():
        if torch.is_tensor(tensor) and tensor.is_floating_point():
            bad = ~torch.isfinite(tensor.reshape(len(tensor), -1)).all(dim=1)
            if bad.any():
                rows = bad.nonzero().flatten().tolist()
                return (
                    f"{len(rows)} sample(s) of shape {tuple(tensor.shape[1:])} are not finite, the "
                    f"first in row {rows[0]}: remove or mend them"
                )
    if len(before) > 1 and abs(before[-1]) > GROWN * abs(np.median(before)):
        return "the losses before it were growing: lower learning_rate, or pass clip_norm=1.0"
    return (
        "lower learning_rate, and look in the loss for a logarithm, a root or a division that "
        "meets zero"
    )


def finite_weights(modules):
    """Return whether all weights of these networks are finite; one question to the device."""
    weights = [weight for module in modules for weight in module.parameters()]
    return bool(torch.stack(torch._foreach_norm(weights)).isfinite().all()) if weights else True
