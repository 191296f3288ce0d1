"""Two contestants that take turns."""

import time

import torch

TURNS = 5


def seconds(function):
    """Time one call, the work of a GPU included."""
    _wait()
    start = time.perf_counter()
    function()
    _wait()
    return time.perf_counter() - start


def _wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def ratios(one, other, turns=TURNS, work=1.0):
    """Return how many times longer `one` takes than `other` in each turn.

    Where `other` does `work` times as much, that counts.
    """
    one(), other()
    found = []
    for turn in range(turns):
        first, second = (one, other) if turn % 2 else (other, one)
        times = {first: seconds(first), second: seconds(second)}
        found.append(work * times[one] / times[other])
    return found
