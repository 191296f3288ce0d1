"""What a checkpoint belongs to: networks, data and settings as they are, code by what it does.

Of a function counts what Python made of it, and all that it reads: values that it holds on to,
globals, functions that it calls; so on through the code of the notebook, of this package and of
other files that are not installed. Of installed packages only names count.
"""

import dis
import hashlib
import re
import sys
import weakref
from functools import lru_cache, partial, singledispatchmethod
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np
import torch
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from helpers.training.batches import Rows, Samples

METHOD = FunctionType | staticmethod | classmethod | property
CODE = METHOD | MethodType | partial | type | ModuleType
PLAIN = int | float | complex | str | bytes | None
MOST = 10_000  # values that are looked into,
DEEPEST = 60  # and levels within values
ROWS_AT_ONCE = 256  # of a memory-mapped file
SHOWING = {"IPython", "ipykernel", "ipywidgets", "logging", "matplotlib", "tqdm"}  # no settings
OF_EVERY_NETWORK = {*vars(torch.nn.Module())}
HOOKS = ("_forward_pre_hooks", "_forward_hooks")


def fingerprint(networks, data, settings):
    """Describe what a checkpoint belongs to: the networks, the data and the settings of the run.

    Parameters
    ----------
    networks : dict of str to torch.nn.Module
        Their structure and their code count; their weights and buffers do not (see `weights_of`).
    data : iterable of Samples
        Training and validation data.
    settings : dict
        Everything else that changes the result.

    Returns
    -------
    dict of str to str
        Comparable entry by entry, so that a difference can be named; the same in every process.
        Numbers and names stand there as they are, everything else as a hash.
    """
    look = _Look(networks.values())
    entries = {"python": "{}.{}".format(*sys.version_info)}  # each has its own byte code
    entries |= {name: look.at(network) for name, network in networks.items()}
    entries["data"] = look.at([part.arrays for part in data])
    return entries | {name: _readable(value) or look.at(value) for name, value in settings.items()}


def _readable(value):
    return repr(value) if isinstance(value, PLAIN) else None


def weights_of(networks):
    """Return a hash of all weights and buffers of some networks."""
    look = _Look()
    return look.at([_tensors(network) for network in networks])


def _tensors(network):
    return [*network.parameters(), *network.buffers()]


def describe(value):
    """Return a hash of a value: of what it is and does, never of where it lies in memory."""
    return _Look().at(value)


def describe_code(function):
    """Return a hash of what a function does and calls, but not of the data that it reads."""
    return _LookAtCode().at(function)


class _Look:
    """A look at a value and all within it.

    Parameters
    ----------
    networks : iterable of torch.nn.Module
        Those being trained, whose weights and buffers change: of these, only shapes count.
    """

    def __init__(self, networks=()):
        self.changing = {id(tensor) for network in networks for tensor in _tensors(network)}
        self.seen = {}  # by place in memory: the value, so that no other takes it, and its hash
        self.depth = 0

    def at(self, value):
        """Return a hash of the value; within a circle, or too deep down, of its kind."""
        if isinstance(value, PLAIN):
            return _hash(repr(value))
        if id(value) in self.seen:
            return self.seen[id(value)][1]
        kind = _hash(_name(type(value)))
        if self.depth > DEEPEST or len(self.seen) > MOST:
            return kind
        self.seen[id(value)] = value, kind
        self.depth += 1
        found = _hash(type(value).__name__, self._parts(value))
        self.depth -= 1
        self.seen[id(value)] = value, found
        return found

    def _each(self, named):
        return [(name, self.at(value)) for name, value in named.items()]

    @singledispatchmethod
    def _parts(self, value):
        """Return what is to be hashed of a value, as text, numbers and hashes."""
        kind = type(value)
        if hasattr(kind, "__array__"):
            return self._parts(np.asarray(value))
        if SHOWING & {base.__module__.partition(".")[0] for base in kind.__mro__}:
            return _name(kind)
        held = self._each(getattr(value, "__dict__", {}))
        if not _ours(kind):
            plain = kind.__repr__ is object.__repr__
            return _name(kind), "" if plain else _without_addresses(repr(value)), held
        slots = [name for base in kind.__mro__ for name in _slots(base) if hasattr(value, name)]
        return self.at(kind), held, [(name, self.at(getattr(value, name))) for name in slots]

    @_parts.register
    def _(self, value: torch.Tensor):
        size = () if is_lazy(value) else tuple(value.shape)
        outside = (str(value.dtype), size, value.requires_grad)
        if id(value) in self.changing:
            return outside
        flat = value.detach().cpu().contiguous().reshape(-1)
        return outside, _bytes(flat.view(torch.uint8).numpy())

    @_parts.register
    def _(self, value: np.ndarray):
        content = self.at(value.tolist()) if value.dtype.hasobject else _bytes(value)
        return str(value.dtype), value.shape, content

    @_parts.register
    def _(self, value: Rows):
        parts = np.array_split(np.arange(len(value)), len(value) // ROWS_AT_ONCE + 1)
        content = _bytes(*map(value.read, parts))
        return str(value.array.dtype), value.array.shape[1:], content

    @_parts.register
    def _(self, value: Samples):
        return [self.at(array) for array in value.arrays]

    @_parts.register
    def _(self, value: Optimizer | LRScheduler):
        return _name(type(value)), self.at(value.state_dict())

    @_parts.register
    def _(self, value: partial):
        return [self.at(part) for part in (value.func, value.args, value.keywords)]

    @_parts.register
    def _(self, value: dict):
        return [(self.at(key), self.at(part)) for key, part in value.items()]

    @_parts.register(list | tuple)
    def _(self, value):
        return [self.at(part) for part in value]

    @_parts.register(set | frozenset)
    def _(self, value):
        return sorted(self.at(part) for part in value)

    @_parts.register(weakref.WeakKeyDictionary | weakref.WeakValueDictionary | weakref.WeakSet)
    def _(self, value):
        return ()  # what is held so loosely is no setting

    @_parts.register(staticmethod | classmethod | MethodType)
    def _(self, value):
        return self.at(value.__func__), self.at(getattr(value, "__self__", None))

    @_parts.register
    def _(self, value: property):
        return [self.at(part) for part in (value.fget, value.fset, value.fdel)]

    @_parts.register
    def _(self, value: ModuleType):
        return value.__name__

    @_parts.register
    def _(self, value: FunctionType):
        given = [self.at(part) for part in (value.__defaults__, value.__kwdefaults__, vars(value))]
        held = [self.at(_content(cell)) for cell in value.__closure__ or ()]
        if not _of_ours(value.__globals__):
            return _name(value), given, held
        uses = _uses(value.__code__)
        read = self._read(value.__globals__, uses.globals, uses.names)
        return _code(value.__code__), given, held, read

    def _read(self, namespace, names, attributes, above=()):
        """What stands under some names, and in modules of our own under those of attributes."""
        found = []
        for name in sorted(names & namespace.keys()):
            value = namespace[name]
            inside = None
            if isinstance(value, ModuleType) and _of_ours(vars(value)) and value not in above:
                inside = self._read(vars(value), attributes, attributes, (*above, value))
            found.append((name, inside or self.at(value)))
        return found

    @_parts.register
    def _(self, value: type):
        if not _ours(value):
            return _name(value)
        own = {
            name: part
            for name, part in vars(value).items()
            if name[:2] != "__" or isinstance(part, METHOD)
        }
        return value.__qualname__, [self.at(base) for base in value.__bases__], self._each(own)

    @_parts.register
    def _(self, value: torch.nn.Module):
        named = [*value.named_parameters(), *value.named_buffers()]
        parts = [(self.at(type(part)), self._each(_settings(part))) for part in value.modules()]
        return str(value), self._each(dict(named)), parts


class _LookAtCode(_Look):
    """The same, but of what is no code only its class."""

    def at(self, value):
        """Return a hash of the value, or of its class where it is no code."""
        return super().at(value if isinstance(value, CODE) else type(value))


def _settings(part):
    """Of the attributes of a layer, those that are its settings and not its state."""
    own = _ours(type(part))
    state = OF_EVERY_NETWORK | (_written(type(part)) if own else set())
    values = {name: list(vars(part)[name].values()) for name in HOOKS}
    for name, value in vars(part).items():
        plain = name[0] != "_" and isinstance(value, PLAIN)
        if name not in state and (own or plain):
            values[name] = value
    return values


def _written(kind):
    """The attributes that `forward`, or a method that it calls, assigns to."""
    written = set()
    waiting = {"forward"}
    done = set()
    while waiting:
        name = waiting.pop()
        done.add(name)
        method = getattr(kind, name, None)
        if isinstance(method, FunctionType):
            uses = _uses(unwrap(method).__code__)
            written |= uses.written
            waiting |= uses.names - done
    return written


class _Uses:
    """Names in a piece of code: of globals, of attributes that it writes, and all there are."""

    def __init__(self, code):
        steps = [(step.opname, step.argval) for step in dis.get_instructions(code)]
        reading = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
        self.globals = {name for step, name in steps if step in reading}
        self.written = {name for step, name in steps if step == "STORE_ATTR"}
        self.names = {*code.co_names}
        for part in code.co_consts:
            if isinstance(part, CodeType):
                self.globals |= _uses(part).globals
                self.written |= _uses(part).written
                self.names |= _uses(part).names


_uses = lru_cache(4096)(_Uses)


def _code(code):
    """What a piece of code does, apart from the values that it reads."""
    arguments = code.co_argcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_freevars
    constants = [_constant(value) for value in code.co_consts]
    return code.co_code.hex(), arguments, names, constants


def _constant(value):
    if isinstance(value, CodeType):
        return _code(value)
    if isinstance(value, tuple):
        return [_constant(part) for part in value]
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # nothing in it yet
        return None


def _slots(kind):
    names = vars(kind).get("__slots__", ())
    return [names] if isinstance(names, str) else sorted(names)


def _ours(kind):
    module = sys.modules.get(kind.__module__)
    return module is None or _of_ours(vars(module))


def _of_ours(namespace):
    """Whether a module is the notebook, part of this package or a file that is not installed."""
    top = namespace.get("__name__", "__main__").partition(".")[0]
    if top in ("__main__", __name__.partition(".")[0]):
        return True
    file = namespace.get("__file__") or getattr(sys.modules.get(top), "__file__", None) or ""
    installed = {"site-packages", "dist-packages"} & {*Path(file).parts}
    return top not in sys.stdlib_module_names and not installed


def _name(thing):
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"


def _without_addresses(text):
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", text)


def _hash(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _bytes(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()
