"""In a notebook's shell, whatever is wrong with an attempt, the cells below find a solution."""

import sys
import types

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from helpers import exercises
from helpers.exercises import answers, attempts, check, registry, rescue
from helpers.exercises.require import require

RIGHT = "@exercise('99.double')\ndef double(x):\n    return x + x\n"


@pytest.fixture
def toy(monkeypatch):
    """Exercises "99.double" and "99.Model", one of another hack, and their references."""
    monkeypatch.delenv("HACK_STRICT", raising=False)
    monkeypatch.setattr(registry, "_checks", {})
    monkeypatch.setattr(registry, "hacks", {})
    monkeypatch.setattr(answers, "SECONDS", 0.2)
    monkeypatch.setattr(attempts, "BY_CLOCK", 1000)
    reference = types.ModuleType("helpers.reference.hack99")
    reference.double = lambda x: 2 * x
    reference.Model = torch.nn.Identity
    monkeypatch.setitem(sys.modules, "helpers.reference.hack99", reference)

    @check("99.double", hints=[])
    def double(attempt, reference):
        require(attempt(3) == 6, "twice 3 is 6")

    @check("99.Model", hints=[])
    def model(attempt, reference):
        require(isinstance(attempt(), torch.nn.Module), "it is no module")

    @check("98.half", hints=[])
    def half(attempt, reference):
        require(attempt(4) == 2, "half of 4 is 2")

    return reference


@pytest.fixture
def shell(toy, monkeypatch, tmp_path):
    """A notebook's shell before its first cell."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    monkeypatch.setattr(rescue, "get_ipython", lambda: shell)
    shell.run_cell("from helpers.exercises import exercise, hint")
    return shell


@pytest.fixture
def notebook(shell):
    """The shell of a notebook that has called `setup`."""
    rescue.protect_notebook("99_doubles")
    return shell


def value(shell, source):
    """Return the value of a cell that must come to its end."""
    result = shell.run_cell(source)
    result.raise_error()
    return result.result


HEAD = "@exercise('99.double')\ndef double(x):\n"
UNREADABLE = {
    "no colon": (HEAD.replace(":", ""), "line 2, `def double(x)`: expected ':'"),
    "not indented": (f"{HEAD}return x\n", "line 3, `return x`: expected an indented block"),
    "indented otherwise": (
        f"{HEAD}    y = x\n  z = x\n",
        "line 4, `z = x`: unindent does not match",
    ),
    "return outside": (
        f"{HEAD}    y = x\nreturn y\n",
        "line 4, `return y`: 'return' outside function",
    ),
    "open bracket": (f"{HEAD}    return (x\n", "line 3, `return (x`: '(' was never closed"),
    "open string": (f"{HEAD}    return 'x\n", "line 3, `return 'x`: unterminated string"),
    "nothing": ("@exercise('99.double')\n", "line 1, `@exercise('99.double')`: "),
    "slip in the decorator": (RIGHT.replace("')", ")"), "line 1, `@exercise('99.double)`: "),
    "decorator left open": (RIGHT.replace("')", "'"), "line 1, `@exercise('99.double'`: "),
    "under a magic": (
        f"%%time\n{HEAD}return x\n",
        "line 3, `return x`: expected an indented block",
    ),
}


@pytest.mark.parametrize("slip", UNREADABLE)
def test_a_cell_that_python_cannot_read_is_answered(slip, toy, notebook, capsys):
    source, reason = UNREADABLE[slip]
    del notebook.user_ns["double"]
    assert notebook.run_cell(source).success
    assert notebook.user_ns["double"] is toy.double
    said = capsys.readouterr().out
    assert f"✗ 99.double — not yet: Python cannot read {reason}" in said
    assert "(the cells below use the reference solution)" in said


def test_other_cells_are_left_as_they_are(notebook, capsys):
    lines = ["@exercise('99.triple')\n", "def triple(x)\n"]
    assert rescue.answer_unreadable(lines) is lines
    result = notebook.run_cell("def double(x)\n    return x\n")
    assert isinstance(result.error_before_exec, SyntaxError)
    source = f"import asyncio\nawait asyncio.sleep(0)\n%pwd\n!true\n{RIGHT}double(4)"
    assert value(notebook, source) == 8
    assert "99.double — correct" in capsys.readouterr().out


def test_a_terminal_lets_a_cell_be_written_to_its_end(notebook):
    assert notebook.check_complete("@exercise('99.double')\ndef double(x):\n")[0] == "incomplete"


CLASS = "@exercise('99.Model')\nclass Model:\n"
DEFINITIONS = {
    "raises": (f"{CLASS}    layers = absent\n", "it raised NameError"),
    "has no end": (f"{CLASS}    for _ in range(10**8):\n        pass\n", "it ran for more than"),
    "leaves": (
        "import sys\n@exercise('99.Model')\ndef Model(x=sys.exit()):\n    return x\n",
        "it raised SystemExit",
    ),
    "in other words": (
        "from helpers import exercises\n"
        "@exercises.exercise(identifier='99.Model')\n"
        "async def Model(x=absent):\n    pass\n",
        "it raised NameError",
    ),
}


@pytest.mark.parametrize("slip", DEFINITIONS)
def test_a_definition_that_does_not_come_to_its_end_is_rescued(slip, toy, notebook, capsys):
    source, reason = DEFINITIONS[slip]
    del notebook.user_ns["Model"]
    assert notebook.run_cell(source).success
    assert notebook.user_ns["Model"] is torch.nn.Identity
    assert f"✗ 99.Model — not yet: {reason}" in capsys.readouterr().out


@pytest.mark.parametrize("source", [DEFINITIONS["raises"][0], CLASS])
def test_where_strictness_is_asked_for_it_raises(source, notebook, monkeypatch):
    monkeypatch.setenv("HACK_STRICT", "1")
    assert isinstance(notebook.run_cell(source).error_in_exec, exercises.ExerciseError)


def test_an_attempt_by_another_name_is_found_under_the_name_of_the_exercise(toy, notebook):
    value(notebook, RIGHT.replace("def double", "def twice"))
    assert notebook.user_ns["double"] is notebook.user_ns["twice"] is not toy.double
    value(notebook, RIGHT.replace("def double", "def twice").replace("x + x", "x"))
    assert notebook.user_ns["double"] is notebook.user_ns["twice"] is toy.double


def test_a_misspelt_exercise_is_answered_in_one_line(toy, notebook, capsys):
    assert value(notebook, RIGHT.replace("99.double", "99.duoble") + "double(4)") == 8
    said = capsys.readouterr().out
    assert said.startswith("✗ there is no exercise '99.duoble'; did you mean 99.double?\n")
    assert notebook.user_ns["double"] is toy.double


def test_a_misspelt_exercise_is_an_error_where_strictness_is_asked_for(notebook, monkeypatch):
    monkeypatch.setenv("HACK_STRICT", "1")
    result = notebook.run_cell(RIGHT.replace("99.double", "99.duoble"))
    assert isinstance(result.error_in_exec, exercises.UnknownExercise)


def test_an_error_of_another_exercise_decorator_is_left_alone(notebook):
    own = "def exercise(number):\n    return lambda f: f\n"
    source = f"{own}@exercise('1')\ndef f(x={{}}):\n    return x\n"
    value(notebook, source.format("1"))
    assert isinstance(notebook.run_cell(source.format("1 / 0")).error_in_exec, ZeroDivisionError)


def test_after_an_interrupted_check_the_cells_below_go_on(toy, notebook, capsys):
    interrupted = RIGHT.replace("return x + x", "raise KeyboardInterrupt")
    assert not notebook.run_cell(interrupted).success
    assert value(notebook, "double(4)") == 8
    assert notebook.user_ns["double"] is toy.double
    value(notebook, RIGHT)
    own = notebook.user_ns["double"]
    assert not notebook.run_cell(interrupted).success
    assert notebook.user_ns["double"] is own


def test_the_references_of_this_hack_are_there_from_the_start_but_not_on_show(toy, notebook):
    assert notebook.user_ns["double"] is toy.double
    assert notebook.user_ns["Model"] is torch.nn.Identity
    assert "half" not in notebook.user_ns
    assert not {"double", "Model"} & set(notebook.run_line_magic("who_ls", ""))
    value(notebook, RIGHT)
    assert "double" in notebook.run_line_magic("who_ls", "")


def test_what_the_notebook_defines_itself_wins(toy, notebook):
    value(notebook, RIGHT)
    own = notebook.user_ns["double"]
    rescue.protect_notebook("99_doubles")  # the first cell, run again
    assert notebook.user_ns["double"] is own is not toy.double
    assert notebook.input_transformers_cleanup.count(rescue.answer_unreadable) == 1
    kinds = [type(transformer) for transformer in notebook.ast_transformers]
    assert kinds.count(rescue.Protect) == 1


def test_where_strictness_is_asked_for_no_reference_is_there(shell, monkeypatch):
    monkeypatch.setenv("HACK_STRICT", "1")
    rescue.protect_notebook("99_doubles")
    assert "double" not in shell.user_ns
