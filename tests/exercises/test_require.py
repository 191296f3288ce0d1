"""What the checks share: results of any library, calls that leave no trace, networks and orders of all kinds."""

import random

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from helpers.exercises import require as shared
from helpers.exercises.require import NotYet

ORDERS = [np.random.default_rng(seed) for seed in range(10)]


@pytest.mark.parametrize(
    "value",
    [3, 3.0, np.float32(3), np.array(3), torch.tensor(3.0), torch.tensor(3.0, requires_grad=True)],
)
def test_a_number_of_any_library_becomes_a_float(value):
    found = shared.number(value)
    assert isinstance(found, float) and found == 3


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "nothing is returned"),
        ([3.0], r"shape \(1,\)"),
        (torch.zeros(1), r"shape \(1,\)"),
        (1j, "complex"),
        ("3", "found a str"),
        ([[1], [2, 3]], "found a list"),
        ({}, "found a dict"),
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(value, reason):
    with pytest.raises(NotYet, match=reason):
        shared.number(value)


@pytest.mark.parametrize(
    "value",
    [
        [[1, 2], [3, 4]],
        torch.tensor([[1, 2], [3, 4]]),
        [torch.tensor([1, 2]), np.array([3, 4])],
        pd.DataFrame([[1, 2], [3, 4]]),
        ((torch.tensor(1.0, requires_grad=True), 2), (3, 4)),
    ],
)
def test_an_array_of_any_library_becomes_one_of_numpy(value):
    found = shared.array(value)
    assert isinstance(found, np.ndarray) and found.tolist() == [[1, 2], [3, 4]]


def test_several_results_become_a_tuple():
    convert = shared.each(shared.number, 2, "two numbers")
    assert convert([torch.tensor(1), np.int64(2)]) == (1.0, 2.0)
    for value in (None, 3, torch.tensor(3), [1, 2, 3]):
        with pytest.raises(NotYet, match="expected two numbers"):
            convert(value)


def test_a_missing_value_agrees_with_a_missing_value_only():
    gap = np.array([1, np.nan])
    shared.require_close(gap, gap.copy(), "")
    with pytest.raises(NotYet, match=r"found \[1. 0.\]"):
        shared.require_close(np.nan_to_num(gap), gap, "found {found}")


def test_what_a_call_changes_is_told():
    def evaluates(model):
        model.eval()

    def switches(x):
        torch.set_grad_enabled(False)

    def fills(parts):
        parts[0][:] = 0

    with torch.enable_grad():
        for attempt, given, reason in (
            (evaluates, nn.Dropout(), "switches a network"),
            (switches, 3, "gradients off"),
            (fills, (np.array([1, np.nan]), 2), "changes an array"),
        ):
            with pytest.raises(NotYet, match=reason):
                shared.call(attempt, given)
    assert (
        shared.call(lambda x: x[0], np.array([2, np.nan])) == 2
    )  # which a missing value does not hide


def test_results_that_the_next_call_changes_are_told():
    kept = np.zeros(1)

    def overwrites(x):
        kept[:] = x
        return kept

    cases = {"one": (np.ones(1),), "two": (2 * np.ones(1),)}
    with pytest.raises(NotYet, match="the next call changes"):
        shared.require_agreement(overwrites, lambda x: x, cases)
    with pytest.raises(NotYet, match="for two it raises ZeroDivisionError"):
        shared.require_agreement(lambda x: x + 0 / (2 - int(x[0])), lambda x: x, cases)


@pytest.mark.parametrize(
    ("draw", "seed"),
    [
        (random.random, random.seed),
        (np.random.rand, np.random.seed),
        (lambda: torch.rand(1), torch.manual_seed),
    ],
    ids=["random", "numpy", "torch"],
)
def test_global_random_numbers_are_seen(draw, seed, monkeypatch):
    first, again = shared.twice(draw)
    assert first != again
    generator = np.random.default_rng(0)
    assert len(shared.twice(generator.random)) == 2  # of its own, it does no harm

    def seeds():
        seed(5)
        return draw()

    with pytest.raises(NotYet, match="sets the seed"):
        shared.twice(seeds)


@pytest.mark.parametrize(("m", "n"), [(75, 30), (200, 30), (60, 30)])
def test_random_orders_are_taken_for_random(m, n):
    for rng in ORDERS:
        shared.require_random_orders(np.array([rng.permutation(n) for _ in range(m)]))


class Noted(nn.Module):
    """A network of two layers, with something done before, between and after them."""

    def __init__(self, before=lambda x: x, between=torch.relu, end=lambda x: x):
        super().__init__()
        self.first, self.last = nn.Linear(3, 8), nn.Linear(8, 2)
        self.before, self.between, self.end = before, between, end

    def forward(self, x):
        return self.end(self.last(self.between(self.first(self.before(x)))))


def examined(model):
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    shared.require_bends(model, x, [model.first, model.last])
    shared.require_steady(model, x)


@pytest.mark.parametrize(
    "between", [torch.relu, torch.tanh, torch.sigmoid, nn.functional.gelu, nn.Softplus()]
)
def test_a_network_that_bends_is_accepted(between):
    examined(Noted(between=between))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"between": lambda x: 2 * x + 1}, "nothing bends"),
        ({"end": torch.tanh}, "something follows the last layer"),
        ({"end": lambda x: x - 1}, "something follows the last layer"),
        ({"between": lambda x: torch.relu(x - x.mean(0))}, "do not mix samples"),
        ({"between": lambda x: torch.relu(x + torch.randn_like(x))}, "second call"),
        ({"before": torch.detach}, "no gradient flows back"),
        ({"before": torch.squeeze, "end": lambda x: x}, "batch of one"),
    ],
)
def test_a_network_that_does_not_is_told_why(parts, reason):
    with pytest.raises(NotYet, match=reason):
        examined(Noted(**parts))


def test_networks_that_share_weights_are_told():
    one, other = Noted(), Noted()
    shared.require_own_weights(one, other)
    other.last = one.last
    with pytest.raises(NotYet, match="share their weights"):
        shared.require_own_weights(one, other)


def test_results_are_handed_on_converted_under_the_name_of_the_attempt():
    def attempt(x):
        """Twice."""
        return torch.tensor(2 * x)

    handed_on = shared.returning(attempt, shared.number)
    assert isinstance(handed_on(3), float)
    assert (handed_on.__name__, handed_on.__doc__) == ("attempt", "Twice.")
    assert shared.returning(attempt, None) is attempt
