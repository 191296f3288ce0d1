"""Checkpoints: the whole state of a training run in one file, written atomically, trusted only if it fits."""

import hashlib
import inspect
from functools import partial

import numpy as np
import torch

from helpers.datasets import atomic_path, short


def fingerprint(model, tensors, settings):
    """Describe what a checkpoint belongs to: the network, the data and the settings of the run.

    Parameters
    ----------
    model : torch.nn.Module
        Its structure, its source and its constant buffers count; its weights and running statistics do not, so
        that an interrupted training goes on with the same model object as well.
    tensors : iterable of torch.Tensor
        The training and validation data.
    settings : dict
        Everything else that changes the result. A function counts by its source and the values it holds on to.

    Returns
    -------
    dict of str to str
        Comparable entry by entry, so that a difference can be named; the same in every process.
    """
    running = ("running_mean", "running_var", "num_batches_tracked")
    constant = [describe(buffer) for name, buffer in model.named_buffers() if not name.endswith(running)]
    entries = {"model": (_module(model), constant)}
    entries |= {"data": [describe(tensor) for tensor in tensors]}
    entries |= {name: describe(value) for name, value in settings.items()}
    return {name: hashlib.sha256(repr(entry).encode()).hexdigest() for name, entry in entries.items()}


def _module(module):
    weights = [(name, tuple(weight.shape)) for name, weight in module.named_parameters()]
    return str(module), weights, sorted({_source(type(part)) for part in module.modules()})


def describe(value):
    """Describe a setting by what it is, never by where it lies in memory."""
    if isinstance(value, torch.Tensor | np.ndarray):
        array = value.detach().cpu().contiguous().numpy() if torch.is_tensor(value) else np.ascontiguousarray(value)
        return str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest()
    if isinstance(value, partial):
        return "partial", describe(value.func), describe(value.args), describe(value.keywords)
    if isinstance(value, dict):
        return {str(name): describe(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [describe(part) for part in value]
    if inspect.isfunction(value):
        held = [describe(cell.cell_contents) for cell in value.__closure__ or ()]
        return _source(value), describe(value.__defaults__ or ()), held
    if isinstance(value, torch.nn.Module):
        plain = {name: repr(part) for name, part in vars(value).items() if isinstance(part, int | float | str)}
        return _module(value), describe(value.state_dict()), plain
    if isinstance(value, type) or inspect.isbuiltin(value):
        return _source(value)
    if callable(value):
        return _source(type(value)), describe(getattr(value, "__dict__", {}))
    return repr(value)


def _source(thing):
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def save(path, state):
    """Write a training state to `path`; the file there is always a whole one."""
    with atomic_path(path) as part:
        torch.save(state, part)


def load(path, expected):
    """Read a training state if there is one and it belongs to this run.

    Parameters
    ----------
    path : pathlib.Path
    expected : dict
        The `fingerprint` of the run that asks.

    Returns
    -------
    dict or None
        None where there is no checkpoint, or where it belongs to something else; that is said in one line.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        different = [name for name in expected if state["fingerprint"].get(name) != expected[name]]
    except Exception as error:
        print(f"checkpoint {short(path)} cannot be read ({type(error).__name__}): training starts anew")
        return None
    if different:
        print(f"checkpoint {short(path)} belongs to another {', '.join(different)}: training starts anew")
        return None
    return state
