"""What the checks share: results of any library, calls without a trace, networks, orders."""

import os
import random

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from helpers.exercises import attempts
from helpers.exercises import require as shared
from helpers.exercises.require import NotYet, networks

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
        shared.require_like(overwrites, lambda x: x, cases)
    with pytest.raises(NotYet, match="for two it raises ZeroDivisionError"):
        shared.require_like(lambda x: x + 0 / (2 - int(x[0])), lambda x: x, cases)


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
        self.first = nn.Linear(3, 8)
        self.last = nn.Linear(8, 2)
        self.before = before
        self.between = between
        self.end = end

    def forward(self, x):
        return self.end(self.last(self.between(self.first(self.before(x)))))


def examined(model):
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    shared.require_bends(model, x, [model.first, model.last])
    networks.require_steady(model, x)


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
    one = Noted()
    other = Noted()
    networks.require_own_weights(one, other)
    other.last = one.last
    with pytest.raises(NotYet, match="share their weights"):
        networks.require_own_weights(one, other)


def test_results_are_handed_on_converted_under_the_name_of_the_attempt():
    def attempt(x):
        """Twice."""
        return torch.tensor(2 * x)

    handed_on = shared.returning(attempt, shared.number)
    assert isinstance(handed_on(3), float)
    assert (handed_on.__name__, handed_on.__doc__) == ("attempt", "Twice.")
    assert shared.returning(attempt, None) is attempt


def half(value):
    """The same number, of whose gradient half is cut off."""
    return 0.5 * (value + value.detach())


LEARNS = {"three numbers": (torch.tensor([1.0, -2.0, 0.5], requires_grad=True),)}


def squares(x):
    return x**2


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (lambda x: half(x) ** 2, "not its gradient"),
        (lambda x: squares(x).detach(), "no gradient flows"),
        (lambda x: squares(x.detach()), "no gradient flows"),
        (lambda x: squares(x).tolist(), "expected a tensor"),
        (lambda x: squares(x) + 0.1 * torch.rand(3), "a second call gives another result|it is"),
        (lambda x: squares(x).sum(), r"has shape \(\), expected \(3,\)"),
    ],
)
def test_what_a_function_of_tensors_does_otherwise_is_told(attempt, reason):
    shared.require_like(lambda x: x * x, squares, LEARNS)
    with pytest.raises(NotYet, match=reason):
        shared.require_like(attempt, squares, LEARNS)


def test_gradients_with_respect_to_the_weights_of_a_network_are_compared():
    cases = {"a batch": (nn.Linear(2, 1), torch.ones(3, 2))}

    def loss(network, x):
        return network(x).square().mean()

    shared.require_like(lambda network, x: (network(x) ** 2).sum() / 3, loss, cases)
    with pytest.raises(NotYet, match="not its gradient"):
        shared.require_like(lambda network, x: half(network(x)).square().mean(), loss, cases)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: np.seterr(all="ignore"), "rules for errors"),
        (lambda: os.environ.update(A_NEW_VARIABLE="1"), "other variables"),
        (lambda: os.chdir(os.pardir), "another working folder"),
        (lambda: torch.set_default_dtype(torch.float64), "another type of numbers"),
    ],
)
def test_what_a_call_leaves_is_told(change, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with attempts.state_kept(), np.errstate(), pytest.raises(NotYet, match=reason):
        shared.call(change)


class Plain(Noted):
    """A network for so many pixels."""

    def __init__(self, width, **parts):
        super().__init__(**parts)
        self.first = nn.Linear(width, 8)


def network_of(**parts):
    return lambda width: Plain(width, **parts)


NETWORKS = {"3 pixels": ((3,), (5, 3)), "7 pixels": ((7,), (4, 7))}


def seeded(x):
    torch.manual_seed(0)
    return x


class Buffered:
    """Results are written into the same tensor again and again, where it fits."""

    def __init__(self):
        self.kept = torch.zeros(5, 2)

    def __call__(self, x):
        if len(x) != 5:
            return x
        self.kept = self.kept.detach()
        self.kept[:] = x
        return self.kept


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (lambda width: torch.tensor, "does not inherit"),
        (lambda width: Plain(3), "it raises RuntimeError"),
        (network_of(end=lambda x: x[:, :1]), "for 3 pixels the output has shape"),
        (network_of(end=lambda x: x.tolist()), "expected a tensor"),
        (network_of(end=torch.detach), "no gradient flows to the weights"),
        (network_of(between=torch.detach), "forward does not use first.weight"),
        (network_of(between=half), "not its gradient"),
        (network_of(between=nn.Dropout()), "in training"),
        (network_of(before=half), "not its gradient"),
        (network_of(between=seeded), "sets the seed"),
        (network_of(end=Buffered()), "changes the result of the one before"),
        (network_of(end=lambda x: x + x.mean(0)), "do not mix samples"),
        (network_of(end=lambda x: x.flip(0)), "do not mix samples"),
        (network_of(end=lambda x: x.cumsum(0)), "do not mix samples"),
    ],
)
def test_what_any_network_must_not_do_is_told(attempt, reason):
    found = shared.require_network(network_of(), network_of(between=torch.tanh), NETWORKS)
    assert list(found) == list(NETWORKS)
    with pytest.raises(NotYet, match=reason):
        shared.require_network(attempt, network_of(), NETWORKS)


def test_a_network_of_single_precision_is_no_fault():
    attempt = network_of(before=lambda x: x.float())
    shared.require_network(attempt, network_of(), NETWORKS)
