"""What the check of an exercise calls the reference with, noted while it judges the reference."""

import copy
import importlib
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path

import numpy as np
import torch

from helpers import exercises
from helpers.exercises import registry

NAMES = [path.stem for path in sorted(Path(__file__).parent.glob("hack[0-9][0-9].py"))]
MODULES = [importlib.import_module(f"tests.exercises.{name}") for name in NAMES]
IDENTIFIERS = [name for module in NAMES for name in registry.names(module.removeprefix("hack"))]


@dataclass(frozen=True)
class Call:
    """Arguments of one call; of a network those that it is made with, and the images it gets."""

    arguments: tuple
    keywords: dict
    images: torch.Tensor = None


def is_network(identifier):
    """Whether an exercise asks for a class of networks."""
    return isinstance(registry.reference(identifier), type)


def own_copy(value):
    """Return arguments that a call may change; functions and networks stay the same."""
    if torch.is_tensor(value):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray | np.random.Generator):
        return copy.deepcopy(value)
    if isinstance(value, tuple | list):
        return type(value)(map(own_copy, value))
    return value


@cache
def calls(identifier):
    """Return the `Call` of each time that the check calls the reference, taken for an attempt."""
    reference = registry.reference(identifier)
    noted = []

    @wraps(reference)
    def attempt(*arguments, **keywords):
        noted.append(Call(own_copy(arguments), keywords))
        return reference(*arguments, **keywords)

    if is_network(identifier):
        attempt = _noting(reference, noted)
    exercises.judge(identifier, attempt)
    return noted


def _noting(reference, noted):
    """Return a class of networks that notes what each is made with, and each batch."""

    class Noting(reference):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            self.made_with = arguments, keywords

        def forward(self, x):
            noted.append(Call(*self.made_with, own_copy(x.detach().float())))
            return super().forward(x)

    return Noting
