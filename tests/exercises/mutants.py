"""Reference solutions with one edit each: the check of the exercise should see it.

``python -m tests.exercises.mutants`` prints the score of each exercise and what was not seen;
``... mutants 06`` that of one hack only. A mutant counts unless it is shown to be equivalent: it
does what the reference does on all that the check calls the reference with, and on variations of
that (`variations`). What no comparison can show, a free choice say, stands in EQUIVALENT of
``hackNN.py``, with the reason: the beginning of an edit, such as "16 →".
"""

import ast
import copy
import inspect
import random
import sys
import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from helpers import exercises
from helpers.exercises import answers, registry
from helpers.exercises.require import NotYet, returning
from tests.exercises import recorded

MOST = 150  # mutants of one exercise; of more a sample is taken
TOLERANCE = 1e-6
LIBRARIES = {"np", "torch", "nn", "F"}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.Lt),
    ast.NotEq: (ast.Eq, ast.Lt),
}
NAMES = {
    "amax": "mean",
    "argmax": "argmin",
    "cos": "sin",
    "exp": "log",
    "maximum": "minimum",
    "max": "min",
    "mean": "sum",
    "median": "mean",
    "minimum": "maximum",
    "randn_like": "rand_like",
    "rbf": "linear",
    "ReLU": "Identity",
    "sin": "cos",
    "sum": "mean",
    "triu_indices": "tril_indices",
}


@dataclass(frozen=True)
class Mutant:
    """A reference solution with one edit, and what was edited."""

    edit: str
    solution: object


def edits(node):
    """Yield what might stand in the place of a part of a solution."""
    rule = RULES.get(type(node))
    if rule:
        yield from rule(node)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and not _is_text(node):
        yield ast.Pass()


def _with(node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_text(node):
    value = getattr(node, "value", None)
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _of_operation(node):
    other = OPERATORS.get(type(node.op))
    if other:
        yield _with(node, op=other())
    if not isinstance(node.op, ast.Add | ast.Mult):
        yield _with(node, left=node.right, right=node.left)
    yield node.left
    yield node.right


def _of_sign(node):
    yield node.operand


def _of_comparison(node):
    for other in COMPARISONS.get(type(node.ops[0]), ()):
        yield _with(node, ops=[other()])


def _of_constant(node):
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        for other in dict.fromkeys([value + 1, value - 1, 2 * value, 0]):
            if other != value:
                yield ast.Constant(other)
    elif value in NAMES:
        yield ast.Constant(NAMES[value])


def _of_call(node):
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    method = isinstance(node.func, ast.Attribute)
    if method and getattr(node.func.value, "id", None) not in LIBRARIES:
        yield node.func.value
    for i in range(len(node.args) - 1):
        first, second = node.args[i : i + 2]
        yield _with(node, args=[*node.args[:i], second, first, *node.args[i + 2 :]])
    for i in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])


def _of_list(node):
    for i in range(len(node.elts)):
        yield _with(node, elts=node.elts[:i] + node.elts[i + 1 :])


def _of_attribute(node):
    if node.attr in NAMES:
        yield _with(node, attr=NAMES[node.attr])
    elif getattr(node.value, "id", None) not in {*LIBRARIES, "self"}:
        yield node.value


def _of_name(node):
    if node.id in NAMES:
        yield _with(node, id=NAMES[node.id])


def _of_slice(node):
    one = ast.Constant(1)
    start = ast.BinOp(node.lower, ast.Add(), one) if node.lower else one
    end = ast.BinOp(node.upper, ast.Sub(), one) if node.upper else ast.Constant(-1)
    yield _with(node, lower=start)
    yield _with(node, upper=end)


def _of_return(node):
    if isinstance(node.value, ast.Tuple):
        parts = node.value.elts
        for i in range(len(parts) - 1):
            exchanged = [*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :]]
            yield ast.Return(_with(node.value, elts=exchanged))
    else:
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))


def _of_condition(node):
    yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))


RULES = {
    ast.Attribute: _of_attribute,
    ast.BinOp: _of_operation,
    ast.Call: _of_call,
    ast.Compare: _of_comparison,
    ast.Constant: _of_constant,
    ast.If: _of_condition,
    ast.IfExp: _of_condition,
    ast.List: _of_list,
    ast.Name: _of_name,
    ast.Return: _of_return,
    ast.Slice: _of_slice,
    ast.UnaryOp: _of_sign,
}


class Replace(ast.NodeTransformer):
    """Put one part of a tree in the place of another."""

    def __init__(self, old, new):
        self.old = old
        self.new = new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def mutants(identifier):
    """Return the `Mutant` of each single edit of a reference solution; a sample of `MOST`."""
    module = registry.solutions(identifier)
    name = identifier.split(".")[1]
    whole = ast.parse(inspect.getsource(getattr(module, name)))
    sources = {}
    for node in ast.walk(whole):
        for other in edits(node):
            copies = {}
            changed = copy.deepcopy(whole, copies)
            changed = Replace(copies[id(node)], copy.deepcopy(other)).visit(changed)
            source = ast.unparse(ast.fix_missing_locations(changed))
            sources.setdefault(source, f"{ast.unparse(node)} → {ast.unparse(other)}")
    sources.pop(ast.unparse(whole), None)
    chosen = list(sources.items())
    if len(chosen) > MOST:
        chosen = random.Random(identifier).sample(chosen, MOST)
    found = []
    for source, edit in chosen:
        namespace = dict(vars(module))
        exec(compile(source, f"<{identifier}: {edit}>", "exec"), namespace)
        found.append(Mutant(edit, namespace[name]))
    return found


def variations(identifier):
    """Return what the check calls the reference with, and variations of it.

    Numbers that are not whole are changed by some per cent; what all arrays have as their first
    axis is made shorter by one, and twice as long. What the reference then cannot work with, or
    gives different results for when it is called twice, is left out.
    """
    rng = np.random.default_rng(0)
    extra = {}
    for module in recorded.MODULES:
        extra.update(getattr(module, "INPUTS", {}))
    whole = [*recorded.calls(identifier), *extra.get(identifier, [])]
    changed = [
        _varied(call, change)
        for call in whole
        for change in (lambda x: _perturbed(x, rng), lambda x: x[:-1], lambda x: _doubled(x))
    ]
    kept = []
    for call in whole + changed:
        results = [outcome(identifier, registry.reference(identifier), call) for _ in range(2)]
        if not isinstance(results[0], Exception) and alike(*results):
            kept.append((call, results[0]))
    return kept


def _varied(call, change):
    """Return a call with changed numbers and arrays among its arguments."""

    def varied(value):
        if isinstance(value, tuple | list):
            return type(value)(map(varied, value))
        if torch.is_tensor(value):
            changed = torch.as_tensor(np.array(change(value.detach().numpy())))
            return changed.requires_grad_(value.requires_grad)
        is_array = isinstance(value, np.ndarray) and value.ndim
        return change(value) if is_array else value

    images = None if call.images is None else varied(call.images)
    return recorded.Call(varied(call.arguments), call.keywords, images)


def _perturbed(values, rng):
    if values.dtype.kind != "f":
        return values
    factor = np.exp(0.1 * rng.standard_normal(values.shape)).astype(values.dtype)
    return np.where(values == np.round(values), values, values * factor)


def _doubled(values):
    return np.concatenate([values, values])


def outcome(identifier, solution, call):
    """Return the parts of what a solution returns for a call, or what it raises."""
    for start in (random.seed, np.random.seed, torch.manual_seed):
        start(0)
    arguments = recorded.own_copy(call.arguments)
    try:
        with np.errstate(all="ignore"):
            if call.images is not None:
                return _of_network(identifier, solution, arguments, call)
            solution = returning(solution, registry.known(identifier).returns)
            return list(_parts(solution(*arguments, **call.keywords)))
    except (Exception, NotYet) as error:
        return error


def _of_network(identifier, solution, arguments, call):
    """Return what a network with the weights of the reference gives, in training and evaluation."""
    right = registry.reference(identifier)(*arguments, **call.keywords)
    network = solution(*arguments, **call.keywords)
    network.load_state_dict(right.state_dict())
    images = call.images.clone()
    return [network.train()(images), network.eval()(images)]


def _parts(value):
    """Yield the arrays of a result; of a pipeline what it gives once it is fitted."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)
    elif hasattr(value, "decision_function"):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(90, 60)) * np.linspace(3, 1, 60)
        yield value.fit(x, x[:, 0] * x[:, 1] > 0).decision_function(x)
    else:
        yield value


def alike(one, other):
    """Whether two outcomes are the same: results of the same shapes and values."""
    if isinstance(one, Exception) or isinstance(other, Exception) or len(one) != len(other):
        return False
    return all(_same(*pair) for pair in zip(one, other, strict=True))


def _same(one, other):
    if getattr(one, "requires_grad", False) != getattr(other, "requires_grad", False):
        return False
    values = [np.asarray(x.detach() if torch.is_tensor(x) else x) for x in (one, other)]
    if values[0].shape != values[1].shape:
        return False
    return np.allclose(*values, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)


def is_equivalent(identifier, mutant):
    """Whether a mutant does what the reference does, on all `variations`, or is said to."""
    for module in recorded.MODULES:
        known = getattr(module, "EQUIVALENT", {}).get(identifier, {})
        if any(mutant.edit.startswith(beginning) for beginning in known):
            return True
    tried = _variations(identifier)
    found = (alike(outcome(identifier, mutant.solution, call), right) for call, right in tried)
    return bool(tried) and all(found)


_variations = cache(variations)


@dataclass(frozen=True)
class Score:
    """How many mutants of an exercise were flagged, and which were not."""

    flagged: int
    raised: int  # of the flagged ones
    equivalent: int
    missed: tuple

    @property
    def share(self):
        return self.flagged / (self.flagged + len(self.missed))


def score(identifier):
    """Judge all mutants of an exercise."""
    flagged = 0
    raised = 0
    equivalent = 0
    missed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mutant in mutants(identifier):
            answer = exercises.judge(identifier, mutant.solution)
            if answer.kind != answers.CORRECT:
                flagged += 1
                raised += "it raise" in answer.reason
            elif is_equivalent(identifier, mutant):
                equivalent += 1
            else:
                missed.append(mutant.edit)
    return Score(flagged, raised, equivalent, tuple(missed))


def of_hack(scores):
    """Return the share of flagged mutants over all exercises of a hack."""
    flagged = sum(one.flagged for one in scores.values())
    return flagged / sum(one.flagged + len(one.missed) for one in scores.values())


def table(scores):
    """Return the scores of exercises, by name, as lines of text."""
    lines = [f"{'exercise':<30} flagged raised equivalent missed  score"]
    for identifier, one in scores.items():
        counts = f"{one.flagged:7} {one.raised:6} {one.equivalent:10} {len(one.missed):6}"
        lines += [f"{identifier:<30} {counts} {one.share:6.3f}"]
    lines += [f"{'together':<30} {of_hack(scores):39.3f}"]
    return "\n".join(lines)


def main(numbers):
    """Print the scores of these hacks, of all if there are none, and what was not seen."""
    chosen = [name for name in recorded.IDENTIFIERS if not numbers or name[:2] in numbers]
    scores = {identifier: score(identifier) for identifier in chosen}
    print(table(scores))
    for identifier, one in scores.items():
        for edit in one.missed:
            print(f"{identifier}: {edit}")


if __name__ == "__main__":
    main(sys.argv[1:])
