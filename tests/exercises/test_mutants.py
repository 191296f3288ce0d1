"""The checks see nearly every single edit of the reference solutions, of all kinds."""

import ast
import types

import pytest

from helpers.exercises import registry
from tests.exercises import mutants, recorded

ENOUGH = 0.95  # of the mutants of a hack
NUMBERS = sorted({identifier.split(".")[0] for identifier in recorded.IDENTIFIERS})


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_nearly_all_mutants_of_a_hack_are_flagged(number):
    chosen = registry.names(number)
    scores = {identifier: mutants.score(identifier) for identifier in chosen}
    print("\n" + mutants.table(scores))
    missed = [f"{name}: {edit}" for name, one in scores.items() for edit in one.missed]
    assert mutants.of_hack(scores) >= ENOUGH, "\n".join(missed)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a + b", {"a - b", "a", "b"}),
        ("a / b", {"a * b", "b / a", "a", "b"}),
        ("-a", {"a"}),
        ("a < b", {"a <= b", "a > b"}),
        ("3", {"4", "2", "6", "0"}),
        ("True", {"False"}),
        ("np.mean(a, axis=0)", {"a", "np.mean(a)"}),
        ("np.mean", {"np.sum"}),
        ("'sum'", {"'mean'"}),
        ("a.sum(b)", {"b", "a"}),
        ("f(a, b, c)", {"a", "f(b, a, c)", "f(a, c, b)"}),
        ("a.T", {"a"}),
        ("[a, b]", {"[b]", "[a]"}),
        ("a if b else c", {"a if not b else c"}),
    ],
)
def test_an_expression_is_edited_in_many_ways(code, expected):
    node = ast.parse(code, mode="eval").body
    assert {ast.unparse(other) for other in mutants.edits(node)} == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1", {"pass"}),
        ("return a", {"return -a"}),
        ("return a, b", {"return (b, a)"}),
        ("'text'", set()),
    ],
)
def test_a_statement_is_edited(code, expected):
    node = ast.parse(code).body[0]
    assert {ast.unparse(other) for other in mutants.edits(node)} == expected


def test_a_slice_is_moved_by_one_at_each_end():
    node = ast.parse("x[a:b]", mode="eval").body.slice
    found = {ast.unparse(ast.Subscript(ast.Name("x"), other)) for other in mutants.edits(node)}
    assert found == {"x[a + 1:b]", "x[a:b - 1]"}


@pytest.fixture
def clip(monkeypatch):
    """An exercise of which the check tries two numbers, for edits to be compared on."""
    source = types.ModuleType("solutions")
    exec("def clip(x):\n    return abs(min(x, 5) * 1)\n", vars(source))
    monkeypatch.setattr(mutants.registry, "reference", lambda identifier: source.clip)
    monkeypatch.setattr(mutants.registry, "known", lambda identifier: registry.Check(None, ()))
    monkeypatch.setattr(mutants, "_variations", mutants.variations)
    calls = [recorded.Call((3,), {}), recorded.Call((7,), {})]
    monkeypatch.setattr(recorded, "calls", lambda identifier: calls)
    return source


@pytest.mark.parametrize(
    ("attempt", "equivalent"),
    [
        (lambda x: min(x, 5), True),
        (lambda x: x, False),
        (lambda x: min(x, 5) + 1e-3, False),
        (lambda x: [min(x, 5)] * 2, False),
        (lambda x: 1 / 0, False),
    ],
)
def test_equivalent_is_what_gives_the_same_everywhere(attempt, equivalent, clip):
    assert mutants.is_equivalent("99.clip", mutants.Mutant("an edit", attempt)) == equivalent
