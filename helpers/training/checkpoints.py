"""Checkpoints: the whole state of a training run in one file, written atomically, trusted only if it fits."""

import hashlib
import inspect

import torch

from helpers.datasets import atomic_path, short


def fingerprint(model, tensors, settings):
    """Describe what a checkpoint belongs to: the network, the data and the settings of the run.

    Parameters
    ----------
    model : torch.nn.Module
    tensors : iterable of torch.Tensor
        The training and validation data.
    settings : dict
        Everything else that changes the result; a function counts by its source.

    Returns
    -------
    dict of str
        Comparable entry by entry, so that a difference can be named.
    """
    shapes = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    data = hashlib.sha256()
    for tensor in tensors:
        data.update(str((tensor.shape, tensor.dtype)).encode())
        data.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    described = {name: _source(value) if callable(value) else repr(value) for name, value in settings.items()}
    return {
        "model": hashlib.sha256(repr((str(model), shapes)).encode()).hexdigest(),
        "data": data.hexdigest(),
    } | described


def _source(function):
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(function)


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
        found = state["fingerprint"]
    except Exception as error:
        print(f"checkpoint {short(path)} cannot be read ({type(error).__name__}): training starts anew")
        return None
    different = [name for name in expected if found.get(name) != expected[name]]
    if different:
        print(f"checkpoint {short(path)} belongs to another {', '.join(different)}: training starts anew")
        return None
    return state
