"""What a checkpoint belongs to: code by what it does and reads, the same in every process."""

import os
import subprocess
import sys
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch
from matplotlib import figure
from torch import nn

from helpers.training import fit, fit_gan
from helpers.training.fingerprints import describe, describe_code, fingerprint

NOTEBOOK = """
import functools, sys, weakref
import numpy as np
import torch
from torch import nn
import own_code

LIST = [1.0, "a", None]
TABLE = {"weight": {"deep": 2.0}}
KINDS = {"a", "b", "c", "d"}
ARRAY = np.arange(3.0)
UNREAD = 0
LOOSE = weakref.WeakKeyDictionary()


def farther(x):
    return x + 1.0


def helper(x):
    return farther(x) * even(4)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def make(scale):
    def scaled(x):
        return scale * x

    return scaled


SCALED = make(3.0)


class Options:
    power = 2
    __slots__ = ("shift",)

    def __init__(self, shift):
        self.shift = shift

    def apply(self, x):
        return x**self.power + self.shift


OPTIONS = Options(5.0)


def loss(prediction, target, *, more=1.5):
    error = [helper(p - t) for p, t in zip(prediction, target)]
    if "e" in {"a", "b", "c", "d", "f"} or LOOSE:
        return OPTIONS.apply(error) + len(KINDS)
    return LIST[0] * TABLE["weight"] * SCALED(error) + ARRAY + own_code.weighted(error)


class Base(nn.Module):
    def scale(self, x):
        return x * 7.0


class Net(Base):
    factor = 11.0

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.sizes = [13, 17]
        self.kinds = {"a": {19}}
        self.activation = lambda x: x * 23.0
        self._private = 29.0
        self.same = [self.layer]
        self.average = None

    @property
    def offset(self):
        return 31.0

    @staticmethod
    def shifted(x):
        return x + 37.0

    @torch.no_grad()
    def inner(self, x):
        return x + 41.0

    def forward(self, x):
        self.average = self.remembered = x.mean()
        return self.activation(self.layer(x))


torch.manual_seed(0)
model = Net()
model.register_forward_hook(lambda module, inputs, output: output * 43.0)


def callback(generator, step):
    return {"a": helper(LIST[0])}
"""

OWN = """
import own_code

CONSTANT = 47.0


def unread():
    return 53.0


def inner(x):
    return own_code.CONSTANT * x


def weighted(x):
    return own_code.inner(x)
"""


def run(notebook=NOTEBOOK, own=OWN):
    """Run a notebook of one cell, and a module beside it that is not installed."""
    sys.modules["own_code"] = module = ModuleType("own_code")
    exec(own, vars(module))
    namespace = {"__name__": "__main__"}
    exec(notebook, namespace)
    return namespace


def of(namespace):
    return fingerprint({"model": namespace["model"]}, [], {"loss": namespace["loss"]})


@pytest.mark.parametrize(
    ("which", "before", "after"),
    [
        ("loss", "x + 1.0", "x + 2.0"),
        ("loss", "odd(n - 1)", "not odd(n)"),
        ("loss", "make(3.0)", "make(4.0)"),
        ("loss", "[1.0,", "[2.0,"),
        ("loss", '"deep": 2.0', '"deep": 3.0'),
        ("loss", '"d"}\nARRAY', '"e"}\nARRAY'),
        ("loss", "arange(3.0)", "arange(4.0)"),
        ("loss", "power = 2", "power = 3"),
        ("loss", "Options(5.0)", "Options(6.0)"),
        ("loss", "x**self.power", "-x**self.power"),
        ("loss", "more=1.5", "more=2.5"),
        ("loss", '"f"}', '"g"}'),
        *[("model", number, "90") for number in ("x * 7.0", "11.0", "13", "19", "23.0", "29.0")],
        *[("model", number, "90") for number in ("31.0", "37.0", "41.0", "43.0")],
    ],
)
def test_code_and_what_it_reads_counts(which, before, after):
    assert NOTEBOOK.count(before) == 1
    first = of(run())
    second = of(run(NOTEBOOK.replace(before, after)))
    assert [name for name in first if first[name] != second[name]] == [which]


@pytest.mark.parametrize(("before", "after"), [("47.0", "48.0"), ("CONSTANT * x", "CONSTANT + x")])
def test_code_in_a_module_of_ones_own_counts(before, after):
    assert of(run())["loss"] != of(run(own=OWN.replace(before, after)))["loss"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("UNREAD = 0", "UNREAD = 1"),
        ("return n == 0", "# once more\n    return n == 0"),
        ('{"a", "b", "c", "d"}\nARRAY', '{"d", "c", "a", "b"}\nARRAY'),
    ],
)
def test_what_is_not_read_does_not_count(before, after):
    assert NOTEBOOK.count(before) == 1
    assert of(run()) == of(run(NOTEBOOK.replace(before, after)))
    assert of(run()) == of(run(own=OWN.replace("53.0", "54.0")))


def test_what_training_changes_does_not_count():
    namespace = run()
    before = of(namespace)
    namespace["model"].layer.weight.data += 1
    namespace["model"](torch.ones(2, 3))
    namespace["LOOSE"][namespace["model"]] = 1
    assert of(namespace) == before


def test_what_only_shows_does_not_count():
    axes = figure.Figure().add_subplot()
    before = describe(axes.plot)
    axes.plot([1, 2])
    assert describe(axes.plot) == before


def test_functions_that_are_defined_once_more_are_the_same():
    namespace = run()
    before = of(namespace)
    exec(NOTEBOOK[NOTEBOOK.index("def farther") : NOTEBOOK.index("SCALED =")], namespace)
    assert of(namespace) == before


def test_a_callback_counts_by_its_code_and_not_by_what_it_reads():
    first = describe_code(run()["callback"])
    assert first == describe_code(run(NOTEBOOK.replace("[1.0,", "[2.0,"))["callback"])
    assert first != describe_code(run(NOTEBOOK.replace("x + 1.0", "x + 2.0"))["callback"])


def test_it_is_the_same_in_every_process():
    script = "import tests.training.test_fingerprints as t; n = t.run()\n"
    script += "print(t.of(n), t.describe_code(n['callback']))"
    said = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
        said.append(done.stdout or done.stderr)
    assert said[0] == said[1] and said[0].startswith("{'python': '3.")


def test_what_goes_in_a_circle_or_very_deep_has_an_end():
    circle = [1]
    circle.append(circle)
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert describe(circle) != describe([2, circle])
    assert describe(deep) == describe(deep)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            partial(nn.functional.huber_loss, delta=1.0),
            partial(nn.functional.huber_loss, delta=2.0),
        ),
        (np.array([1.0, "a", None], dtype=object), np.array([1.0, "b", None], dtype=object)),
        (
            torch.optim.swa_utils.get_ema_multi_avg_fn(0.9),
            torch.optim.swa_utils.get_ema_multi_avg_fn(0.8),
        ),
        (torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(0.0, 2.0)),
        (np.vectorize(abs), np.vectorize(max)),
    ],
)
def test_what_installed_packages_make_counts_by_what_it_holds(one, other):
    assert describe(one) == describe(one) != describe(other)


def test_a_changed_helper_function_begins_a_new_training(tmp_path, capsys):
    x = np.ones((20, 3), dtype=np.float32)
    lines = "def penalty(p):\n    return {} * p.abs().mean()\n\n"
    lines += "def loss(p, t):\n    return (p - t).square().mean() + penalty(p)"
    weights = []
    for weight in (0.1, 0.9, 0.9):
        namespace = {"__name__": "__main__"}
        exec(lines.format(weight), namespace)
        torch.manual_seed(0)
        model = nn.Linear(3, 1)
        fit(
            model,
            (x, x[:, :1]),
            loss=namespace["loss"],
            epochs=3,
            checkpoint=tmp_path / "c.pt",
            progress=False,
        )
        weights.append(model.weight)
    said = capsys.readouterr().out
    assert said.count("belongs to another training, by its loss: training starts anew") == 1
    assert said.count("finished: its result is taken over") == 1
    assert not torch.equal(weights[0], weights[1]) and torch.equal(weights[1], weights[2])


def test_a_changed_helper_of_a_callback_begins_a_new_training(tmp_path, capsys):
    x = np.ones((20, 3), dtype=np.float32)
    found = []
    for number in (1.0, 2.0):
        namespace = run(NOTEBOOK.replace("x + 1.0", f"x + {number}"))
        namespace["even"] = abs
        torch.manual_seed(0)
        pair = nn.Linear(2, 3), nn.Linear(3, 1)
        options = dict(
            noise=2, steps=2, batch_size=20, callback=namespace["callback"], progress=False
        )
        found.append(fit_gan(*pair, x, checkpoint=tmp_path / "c.pt", **options).metrics["a"][-1])
    assert found == [8.0, 12.0]
    assert "by its callback: training starts anew" in capsys.readouterr().out
