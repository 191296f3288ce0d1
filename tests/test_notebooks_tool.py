"""The check of the notebooks must fail on everything that nbval would let pass, and pass what is whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import check_notebooks

pytestmark = pytest.mark.slow
TOOL = Path(check_notebooks.__file__)
ENVIRONMENT = """\
import os
import pathlib
assert os.environ["HACK_PROFILE"] == "ci"
assert os.environ["HACK_WARNINGS"] == "error"
assert os.environ.get("HACK_STRICT") == {strict!r}
folder = pathlib.Path(os.environ["HACK_OUTPUT"])
assert not folder.exists()
folder.mkdir()"""


def notebook(path, *cells, tags=()):
    """Write a notebook of code cells; the last one has the tags."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.cells = [nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(cells)]
    if tags:
        made.cells[-1].metadata["tags"] = list(tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
    return path


def run(root, *options):
    # A pytest around this one must not reach into it.
    environment = {k: value for k, value in os.environ.items() if not k.startswith(("PYTEST", "HACK"))}
    command = [sys.executable, str(TOOL), "--root", str(root), *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A course that is whole, checked with two workers; its settings for unit tests are of no use here."""
    root = tmp_path_factory.mktemp("good")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--no-such-option"\n')
    notebook(root / "notebooks/06_toy.ipynb", ENVIRONMENT.format(strict=None), "import time; time.sleep(2)")
    notebook(root / "solutions/06_toy.ipynb", ENVIRONMENT.format(strict="1"), "1 + 1")
    return run(root, "--record"), root


def test_whole_notebooks_pass_each_in_its_own_environment(good):
    done, _ = good
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n4 passed in " in done.stdout
    assert "FAILED" not in done.stdout


def test_the_minutes_are_printed_and_recorded(good):
    done, root = good
    table = done.stdout[done.stdout.index("minutes  notebook") :].split("\n")
    assert table[1].split()[1] == "notebooks/06_toy.ipynb" and float(table[1].split()[0]) >= 0.03
    assert table[2].split()[1] == "solutions/06_toy.ipynb"
    recorded = json.loads((root / "benchmarks/minutes.json").read_text())
    slower = max(float(row.split()[0]) for row in table[1:3])
    assert recorded["06_toy"]["ci"] == pytest.approx(slower, abs=0.056)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """The output of a check of notebooks that are broken, each in its own way."""
    root = tmp_path_factory.mktemp("broken")
    folder = root / "notebooks"
    raising = ("x = 1", "# The broken cell.\nraise ValueError(f'no ring {x}')", "y", "z")
    notebook(folder / "01_raises.ipynb", *raising)
    notebook(folder / "02_dies.ipynb", "x = 1", "import os; os._exit(0)", "x", "x")
    notebook(folder / "03_hangs.ipynb", "import time; time.sleep(60)", "x = 1")
    notebook(folder / "04_leaves.ipynb", "import sys; sys.exit(0)")
    notebook(folder / "05_magic.ipynb", "%pip install no-such-package-anywhere --no-index")
    notebook(folder / "06_skipped.ipynb", "x = 1", "raise ValueError", tags=["nbval-skip"])
    notebook(folder / "07_empty.ipynb")
    notebook(folder / "08_good.ipynb", "x = 1")
    return run(root, "--strict", "--timeout", "5", "--record"), root


def fault(done, name):
    """Return the paragraph about one notebook."""
    found = [part for part in done.stdout.split("\n\n") if part.startswith(f"{name}.ipynb in notebooks: ")]
    assert len(found) == 1, done.stdout
    return found[0]


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("01_raises", ["code cell 2 of 4", "| # The broken cell.", "ValueError: no ring 1"]),
        ("02_dies", ["code cell 2 of 4", "| import os; os._exit(0)", "the kernel died"]),
        ("03_hangs", ["code cell 1 of 2", "Timeout of 5 seconds exceeded"]),
        ("04_leaves", ["code cell 1 of 1", "SystemExit"]),
        ("05_magic", ["code cell 1 is not plain Python"]),
        ("06_skipped", ["code cell 2 is marked so that it need not run"]),
        ("07_empty", ["there is no code cell in it"]),
    ],
)
def test_a_broken_notebook_fails_with_its_first_fault_only(broken, name, messages):
    done, _ = broken
    assert done.returncode == 1
    text = fault(done, name)
    assert all(message in text for message in messages), text
    assert "NameError" not in text and "\x1b" not in text and "#x1B" not in text
    (row,) = (line for line in done.stdout.split("\n") if line.endswith(f"notebooks/{name}.ipynb  FAILED"))
    assert float(row.split()[0]) < 1


def test_a_whole_notebook_among_broken_ones_is_not_blamed(broken):
    done, root = broken
    assert "08_good.ipynb  FAILED" not in done.stdout and "notebooks/08_good.ipynb" in done.stdout
    assert not (root / "benchmarks/minutes.json").exists()


def test_nothing_to_run_is_a_failure(tmp_path):
    (tmp_path / "notebooks").mkdir()
    done = run(tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'notebooks'}: no notebook to run" in done.stderr
    assert f"{tmp_path / 'solutions'}: no notebook to run" in done.stderr


@pytest.mark.parametrize("source", ["!ls", "x = !ls", "%%time\nx = 1", "%matplotlib inline", "x?"])
def test_what_is_not_python_is_a_blind_spot(tmp_path, source):
    path = notebook(tmp_path / "a.ipynb", "x = 1", source)
    (found,) = check_notebooks.blind_spots(nbformat.read(path, as_version=4))
    assert "code cell 2 is not plain Python" in found


@pytest.mark.parametrize("comment", ["# NBVAL_SKIP", "  # NBVAL_RAISES_EXCEPTION"])
def test_comments_that_hide_a_failure_are_blind_spots(tmp_path, comment):
    path = notebook(tmp_path / "a.ipynb", f"if True:\n    pass\n{comment}", "x = 1  # not skipped")
    (found,) = check_notebooks.blind_spots(nbformat.read(path, as_version=4))
    assert "code cell 1 is marked" in found
