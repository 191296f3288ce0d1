"""A notebook in which every exercise is answered wrongly runs to its end all the same.

Of one hack the whole notebook is executed. What follows a wrong answer is what follows an untouched
one, the reference, and the untouched notebooks are executed anyway: of the others only what the
exercises need, one after the other in one kernel.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest

from tools import execution

ROOT = Path(__file__).resolve().parents[2]
*OTHERS, WHOLE = sorted((ROOT / "notebooks").glob("*.ipynb"))


def answer_unreadably(source):
    """The colon behind the head of the definition is missing: Python cannot even read the cell."""
    return re.sub(r"^((?:def|class) .*):$", r"\1", source, flags=re.M)


def answer_wrongly(source):
    """A function answers None; a class is without its layers, and does not even become one."""
    head = source.index("raise NotImplementedError")
    indent = " " * (head - source.rindex("\n", 0, head) - 1)
    if re.search(r"^class ", source, re.M):
        return source.replace(
            "    def __init__", "    layers = there_is_no_such_name\n\n    def __init__", 1
        )
    return re.sub(r"^ *raise NotImplementedError.*$", f"{indent}return None", source, flags=re.M)


def wrong(path):
    """Return a notebook with wrong answers, and the cells that hold them."""
    notebook = nbformat.read(path, as_version=4)
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    assert exercises
    first, *others = exercises
    first.source = answer_unreadably(first.source)
    for cell in others:
        cell.source = answer_wrongly(cell.source)
    return notebook, exercises


def execute(notebook, exercises):
    """Execute a notebook to its end; each of the exercises must have been answered."""
    environment = {**os.environ, "HACK_STATIC": "1"}
    execution.execute(notebook, "wrong answers", ROOT / "notebooks", environment, timeout=120)
    for cell in exercises:
        shown = [output for output in cell.outputs if output.get("name") == "stdout"]
        said = "".join(output.text for output in shown)
        assert "not yet: " in said and "use the reference solution" in said, cell.source
    assert "Python cannot read line 2" in exercises[0].outputs[0].text


@pytest.fixture(autouse=True)
def scoreboards(tmp_path, monkeypatch):
    for name in ("HACK_STRICT", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HACK_PROFILE", "ci")
    monkeypatch.setenv("HACK_OUTPUT", str(tmp_path))
    return tmp_path / "scoreboards"


@pytest.mark.slow
def test_a_notebook_of_wrong_answers_runs_on(scoreboards):
    execute(*wrong(WHOLE))
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
    execute(together, answers)
