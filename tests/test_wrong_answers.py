"""A participants' notebook in which every exercise is answered wrongly runs to its end all the same.

Of one hack the whole notebook is executed. What follows a wrong answer is what follows an untouched one, the reference,
and the untouched notebooks are executed anyway: of the others only what the exercises need.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def answer_unreadably(source):
    """The colon behind the head of the definition is missing: Python cannot even read the cell."""
    return re.sub(r"^((?:def|class) .*):$", r"\1", source, flags=re.M)


def answer_wrongly(source):
    """A function answers None; a class is left without its layers, and does not even become a class."""
    head = source.index("raise NotImplementedError")
    indent = " " * (head - source.rindex("\n", 0, head) - 1)
    if re.search(r"^class ", source, re.M):
        return source.replace("    def __init__", "    layers = there_is_no_such_name\n\n    def __init__", 1)
    return re.sub(r"^ *raise NotImplementedError.*$", f"{indent}return None", source, flags=re.M)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_of_wrong_answers_runs_on(path, tmp_path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    assert exercises
    first, *others = exercises
    first.source = answer_unreadably(first.source)
    for cell in others:
        cell.source = answer_wrongly(cell.source)
    whole = path == NOTEBOOKS[-1]
    if not whole:
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        notebook.cells = [*code[:2], *exercises]  # the set-up, and the imports
    for name in ("HACK_STRICT", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HACK_PROFILE", "ci")
    monkeypatch.setenv("HACK_OUTPUT", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    assert "Python cannot read line 2" in first.outputs[0].text
    for cell in exercises:
        said = "".join(output.get("text", "") for output in cell.outputs if output.get("name") == "stdout")
        assert "not yet: " in said and "use the reference solution" in said
    assert (tmp_path / "scoreboards" / f"{path.stem}.json").exists() == whole
