"""Checkpoints: the whole state of a training run in one file, written atomically, trusted only if it fits."""

import hashlib
import inspect
import io
import os
import re
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from helpers.datasets import atomic_path, short
from helpers.training.batches import Rows, Samples

SHARE, SECONDS = 100, 1.0  # a checkpoint is kept after so many times what the last one cost, and so many seconds


def fingerprint(models, data, settings):
    """Describe what a checkpoint belongs to: the networks, the data and the settings of the run.

    Parameters
    ----------
    models : dict of str to torch.nn.Module
        Their structure, their source and their constant buffers count; their weights and running statistics do
        not, so that an interrupted training goes on with the same model object as well.
    data : iterable of Samples
        Training and validation data.
    settings : dict
        Everything else that changes the result. A function counts by its source and the values it holds on to.

    Returns
    -------
    dict of str to str
        Comparable entry by entry, so that a difference can be named; the same in every process. Numbers and
        names stand there as they are, everything else as a hash.
    """
    running = ("running_mean", "running_var", "num_batches_tracked", "._u", "._v", "weight_u", "weight_v")
    entries = {}
    for name, model in models.items():
        constant = [describe(buffer) for key, buffer in model.named_buffers() if not key.endswith(running)]
        entries[name] = (_module(model), constant)
    entries["data"] = [[describe(array) for array in part.arrays] for part in data]
    entries |= {name: describe(value) for name, value in settings.items()}
    plain = {name: repr(value) for name, value in settings.items() if isinstance(value, int | float | str | None)}
    return {
        name: plain.get(name) or hashlib.sha256(repr(entry).encode()).hexdigest() for name, entry in entries.items()
    }


def _module(module):
    weights = [(name, tuple(weight.shape), weight.requires_grad) for name, weight in module.named_parameters()]
    plain = [_plain(vars(part)) for part in module.modules()]
    return str(module), weights, plain, sorted({source(type(part)) for part in module.modules()})


def _plain(values):
    """Of some attributes, those that are numbers or names."""
    kinds = int | float | str | None
    public = {name: value for name, value in values.items() if name[0] != "_" and name != "training"}
    return {name: repr(value) for name, value in public.items() if isinstance(value, kinds)}


def describe(value):
    """Describe a setting by what it is, never by where it lies in memory."""
    if isinstance(value, torch.Tensor | np.ndarray):
        array = value.detach().cpu().contiguous().numpy() if torch.is_tensor(value) else np.ascontiguousarray(value)
        return str(array.dtype), array.shape, hashlib.sha256(array.reshape(-1).view(np.uint8)).hexdigest()
    if isinstance(value, Rows):
        digest = hashlib.sha256()
        for start in range(0, len(value), 256):
            digest.update(np.ascontiguousarray(value.read(np.arange(len(value))[start : start + 256])).tobytes())
        return str(value.array.dtype), (len(value), *value.array.shape[1:]), digest.hexdigest()
    if isinstance(value, Samples):
        return [describe(array) for array in value.arrays]
    if isinstance(value, partial):
        return "partial", describe(value.func), describe(value.args), describe(value.keywords)
    if isinstance(value, dict):
        return {str(name): describe(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [describe(part) for part in value]
    if inspect.isfunction(value):
        held = [describe(cell.cell_contents) for cell in value.__closure__ or ()]
        read = inspect.getclosurevars(value).globals
        numbers = {
            name: part for name, part in read.items() if isinstance(part, int | float | str | torch.Tensor | np.ndarray)
        }
        return source(value), describe(value.__defaults__ or ()), held, describe(numbers)
    if inspect.ismethod(value):
        return describe(value.__func__), describe(value.__self__)
    if isinstance(value, torch.nn.Module):
        return _module(value), describe(value.state_dict())
    if isinstance(value, type) or inspect.isbuiltin(value):
        return source(value)
    if callable(value) or type(value).__repr__ is object.__repr__:
        return source(type(value)), describe(getattr(value, "__dict__", {}))
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))


def source(thing):
    """Return the source of a function or class, or its name where there is none or it is PyTorch's own."""
    name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__qualname__)}"
    if getattr(thing, "__name__", "") == "<lambda>":  # its source is the whole line that it stands in
        code = thing.__code__
        return f"{code.co_code.hex()} {code.co_names} {re.sub(' at 0x[0-9A-Fa-f]+', '', repr(code.co_consts))}"
    try:
        return name if name.startswith("torch.") else inspect.getsource(thing)
    except (OSError, TypeError):
        return name


def save(path, state):
    """Write a training state to `path`; the file there is always a whole one."""
    whole = io.BytesIO()
    torch.save(state, whole)
    with atomic_path(path) as part:
        part.write_bytes(whole.getbuffer())


def load(path, expected):
    """Read a training state if there is one and it belongs to this run.

    Parameters
    ----------
    path : pathlib.Path
        What lies there but is of no use for this run is moved aside, to ``NAME-before.pt``.
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
        different = [
            _difference(name, found.get(name), expected[name]) for name in expected if found.get(name) != expected[name]
        ]
    except Exception as error:
        wrong = f"cannot be read ({type(error).__name__})"
    else:
        if not different:
            return state
        wrong = f"belongs to another {', '.join(different)}"
    before = path.with_name(f"{path.stem}-before{path.suffix}")
    os.replace(path, before)
    print(f"checkpoint {short(path)} {wrong}: training starts anew, and it is kept as {before.name}")
    return None


def _difference(name, found, expected):
    readable = found is not None and len(found) < 40 and len(expected) < 40
    return f"{name} ({found}, now {expected})" if readable else name


class Keeper:
    """Keeps the state of a run on disk, at moments far enough apart to cost next to nothing.

    Parameters
    ----------
    path : path or None
        Of the checkpoint; nothing is kept where it is None.
    make_fingerprint : callable
        Gives the `fingerprint`; called only where there is a path.
    fabric : lightning_fabric.Fabric
        Of several processes, the first writes and all read.
    """

    def __init__(self, path, make_fingerprint, fabric):
        self.path = path and Path(path)
        self.fabric = fabric
        self.belongs_to = make_fingerprint() if path else None
        self.cost, self.last, self.failed = 0.0, time.monotonic(), False

    def load(self):
        """Return the state that was kept, or None."""
        saved = None
        if self.path and self.fabric.is_global_zero:
            for path in (self.path, self._snapshot("*")):
                for unfinished in path.parent.glob(f".{path.stem}-????????{path.suffix}"):
                    unfinished.unlink(missing_ok=True)  # of a process killed while it wrote
            saved = load(self.path, self.belongs_to)
        saved = self.fabric.broadcast(saved) if self.path else None
        return saved and saved["state"]

    def due(self):
        """Whether it is time to keep the state; of several processes, the first one's clock counts."""
        due = bool(self.path) and time.monotonic() - self.last > max(SECONDS, SHARE * self.cost)
        return due if self.fabric.world_size == 1 else bool(self.path) and self.fabric.broadcast(due)

    def save(self, make_state):
        """Keep the state that `make_state` gives, and return whether that worked; if not, it is said once."""
        start = time.monotonic()
        written = self._write(self.path, make_state())
        self.last = time.monotonic()
        self.cost = self.last - start
        return written

    def save_snapshot(self, step, weights):
        """Keep the weights of a generator in a file of their own, for as long as the checkpoint counts."""
        self._write(self._snapshot(step), weights)

    def load_snapshots(self, steps):
        """Return the weights that were kept after these steps, by step."""
        return {step: state["state"] for step in steps if (state := load(self._snapshot(step), self.belongs_to))}

    def _snapshot(self, step):
        whose = hashlib.sha256(repr(self.belongs_to).encode()).hexdigest()[:8]
        return self.path and self.path.with_name(f"{self.path.stem}-{whose}-step-{step}{self.path.suffix}")

    def _write(self, path, state):
        if not path or not self.fabric.is_global_zero:
            return False
        try:
            save(path, {"fingerprint": self.belongs_to, "state": state})
            return True
        except OSError as error:
            if not self.failed:
                print(
                    f"checkpoint {short(path)} cannot be written ({error.strerror}): training goes on, and what was "
                    "kept before stays; make room on the disk"
                )
            self.failed = True
            return False
