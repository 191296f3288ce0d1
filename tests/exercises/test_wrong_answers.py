"""A notebook with wrong answers, wrong guesses, or half of it solved runs to its end all the same.

Of one hack, the pattern of all, the whole notebook is executed. What follows a wrong answer is what
follows an untouched one, the reference, and the untouched notebooks are executed anyway: of the
others only what the exercises need, one after the other in one kernel.
"""

import itertools
import os
import re
from pathlib import Path

import nbformat
import pytest

from tools import execution

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "notebooks" / "06_cherenkov_rings.ipynb"
OTHERS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if path != WHOLE]
# Where an answer is to be written, or a fault to be mended.
PLACE = re.compile(r"^( *)(raise NotImplementedError|# This runs, and it is wrong).*$", re.M)
GUESSES = ('"many"', "-1e9", "[3, 'one']")  # no number, no such number, no order


def answer_unreadably(source):
    """The colon behind the head of the definition is missing: Python cannot even read the cell."""
    return re.sub(r"^((?:def|class) .*):$", r"\1", source, flags=re.M)


def answer_wrongly(source):
    """A function answers None; a class is without its layers, and does not even become one."""
    if re.search(r"^class ", source, re.M):
        return source.replace(
            "    def __init__", "    layers = there_is_no_such_name\n\n    def __init__", 1
        )
    assert PLACE.search(source)
    return PLACE.sub(r"\1return None", source)


def tagged(notebook, tag):
    """The cells of a notebook that have a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def wrong(path):
    """Return a notebook with wrong answers and guesses, and the cells of its exercises."""
    notebook = nbformat.read(path, as_version=4)
    exercises = tagged(notebook, "exercise")
    assert exercises
    first, *others = exercises
    first.source = answer_unreadably(first.source)
    for cell in others:
        cell.source = answer_wrongly(cell.source)
    guesses = itertools.cycle(GUESSES)
    for cell in tagged(notebook, "predict"):
        cell.source = re.sub(r"None  # your guess", lambda _: next(guesses), cell.source)
    return notebook, exercises


def half_solved(path):
    """Return a notebook with every second exercise solved, the others as they are given."""
    notebook = nbformat.read(path, as_version=4)
    solved = nbformat.read(ROOT / "solutions" / path.name, as_version=4)
    solutions = {cell.id: cell.source for cell in tagged(solved, "exercise")}
    chosen = tagged(notebook, "exercise")[::2]
    for cell in chosen:
        cell.source = solutions[cell.id]
    return notebook, chosen


def execute(notebook):
    """Execute a notebook to its end."""
    environment = {**os.environ, "HACK_STATIC": "1"}
    execution.execute(notebook, "answers", ROOT / "notebooks", environment, timeout=120)


def said(cell):
    """What a cell has printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def require_told(exercises):
    """Each of the exercises must have been told that it is wrong."""
    for cell in exercises:
        told = said(cell)
        assert "not yet: " in told and "use the reference solution" in told, cell.source
    assert "Python cannot read line 2" in said(exercises[0])


@pytest.fixture(autouse=True)
def scoreboards(tmp_path, monkeypatch):
    for name in ("HACK_STRICT", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HACK_PROFILE", "ci")
    monkeypatch.setenv("HACK_OUTPUT", str(tmp_path))
    return tmp_path / "scoreboards"


@pytest.mark.slow
def test_a_notebook_of_wrong_answers_runs_on(scoreboards):
    notebook, exercises = wrong(WHOLE)
    execute(notebook)
    require_told(exercises)
    assert (scoreboards / f"{WHOLE.stem}.json").exists()


@pytest.mark.slow
def test_a_notebook_that_is_half_solved_runs_on(scoreboards):
    notebook, solved = half_solved(WHOLE)
    execute(notebook)
    assert all("— correct" in said(cell) for cell in solved)
    assert (scoreboards / f"{WHOLE.stem}.json").exists()


@pytest.mark.slow
def test_wrong_answers_in_the_notebooks_are_told_so():
    together = nbformat.v4.new_notebook()
    answers = []
    for path in OTHERS:
        notebook, exercises = wrong(path)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        together.cells += [*code[:2], *exercises]  # the set-up, and the imports
        answers += exercises
    execute(together)
    require_told(answers)
