"""The check of the notebooks fails on what nbval would let pass, and passes what is whole."""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import filelock
import nbformat
import nbval.kernel
import pytest

from tools import check_notebooks, execution, nbval_environment

pytestmark = pytest.mark.slow
TOOL = Path(check_notebooks.__file__)
ENVIRONMENT = """\
import os
import pathlib
assert os.environ["HACK_PROFILE"] == "ci"
assert os.environ["HACK_WARNINGS"] == "error"
assert os.environ.get("HACK_" + "STRICT") == {strict!r}
folder = pathlib.Path(os.environ["HACK_OUTPUT"])
assert not folder.exists()
folder.mkdir()"""


def notebook(path, *cells, tags=()):
    """Write a notebook of code cells; the last one has the tags."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    made.cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(cells)
    ]
    if tags:
        made.cells[-1].metadata["tags"] = list(tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
    return path


def run(root, *options):
    # A pytest around this one must not reach into it.
    environment = {
        k: value for k, value in os.environ.items() if not k.startswith(("PYTEST", "HACK"))
    }
    command = [sys.executable, str(TOOL), "--root", str(root), *options]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, timeout=600
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A course that is whole, checked with two workers, without its settings for unit tests."""
    root = tmp_path_factory.mktemp("good")
    (root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--no-such-option"\n', encoding="utf-8"
    )
    notebook(
        root / "notebooks/06_toy.ipynb",
        ENVIRONMENT.format(strict=None),
        "import time; time.sleep(2)",
    )
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
    recorded = json.loads((root / "benchmarks/minutes.json").read_text(encoding="utf-8"))
    slower = max(float(row.split()[0]) for row in table[1:3])
    assert recorded["06_toy"]["ci"] == pytest.approx(slower, abs=0.056)


MUTE = """\
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.showtraceback = lambda *_, **__: None"""


# A library warns, and not the notebook itself.
WARN = """import warnings
warnings.warn_explicit("soon another default", FutureWarning, "library.py", 1, "library")"""


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
    notebook(folder / "09_muted.ipynb", MUTE, "1 / 0")
    notebook(folder / "10_only_passes.ipynb", "# Nothing.", "pass")
    notebook(folder / "11_odd[1].ipynb", "x = 1")
    notebook(folder / "14_warns.ipynb", WARN)
    notebook(root / "solved/12_unchecked.ipynb", "def area(): ...", tags=["exercise"])
    notebook(root / "solved/13_checked.ipynb", "print('✓ 13.area — correct')", tags=["exercise"])
    return run(root, "--strict", "solved", "--timeout", "5", "--record"), root


def fault(done, name, folder="notebooks"):
    """Return the paragraph about one notebook."""
    start = f"{name}.ipynb in {folder}: "
    found = [part for part in done.stdout.split("\n\n") if part.startswith(start)]
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
        (
            "09_muted",
            ["code cell 2 of 2", "showed no error, but the kernel reports one: ZeroDivisionError"],
        ),
        ("10_only_passes", ["there is no code cell in it that does anything"]),
        ("11_odd[1]", ["its name has a bracket [, which pytest cannot read: rename it"]),
        (
            "14_warns",
            ["a participant would see this warning: ", "FutureWarning: soon another default"],
        ),
    ],
)
def test_a_broken_notebook_fails_with_its_first_fault_only(broken, name, messages):
    done, _ = broken
    assert done.returncode == 1
    text = fault(done, name)
    assert all(message in text for message in messages), text
    assert "NameError" not in text and "\x1b" not in text and "#x1B" not in text
    assert done.stdout.count(f"notebooks/{name}.ipynb  FAILED\n") == 1


def test_a_whole_notebook_among_broken_ones_is_not_blamed(broken):
    done, root = broken
    assert "08_good.ipynb  FAILED" not in done.stdout and "notebooks/08_good.ipynb" in done.stdout
    assert not (root / "benchmarks/minutes.json").exists()


def test_a_solved_exercise_must_show_that_it_was_checked(broken):
    done, _ = broken
    assert "expected an exercise that answers ✓, found none" in fault(
        done, "12_unchecked", "solved"
    )
    assert "solved/13_checked.ipynb\n" in done.stdout


def test_a_kernel_that_is_gone_after_the_last_cell_is_a_failure():
    def silence(message, timeout):
        raise queue.Empty

    client = SimpleNamespace(kernel_info=lambda: "question")
    kernel = SimpleNamespace(reply={"status": "ok"}, kc=client, await_reply=silence)
    config = SimpleNamespace(getoption=lambda name: 0.1)
    item = SimpleNamespace(parent=SimpleNamespace(kernel=kernel), config=config)
    call = nbval_environment.pytest_runtest_call(item)
    next(call)
    with pytest.raises(queue.Empty):
        call.send(None)


def test_notebooks_beside_the_repository_and_in_odd_folders_run(tmp_path):
    root = tmp_path / "odd[1]" / "course"
    root.mkdir(parents=True)
    for name in "01_one.ipynb", "02_two.ipynb":
        notebook(root.parent / "beside" / name, "x = 1")
    done = run(root, "--notebooks", "../beside", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n2 passed in " in done.stdout


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


@pytest.mark.parametrize(
    "mark", ["# NBVAL_SKIP", "  #\tNBVAL_RAISES_EXCEPTION", "pass\f#\u00a0NBVAL_SKIP"]
)
def test_comments_that_hide_a_failure_are_blind_spots(tmp_path, mark):
    path = notebook(tmp_path / "a.ipynb", f"if True:\n    pass\n{mark}", "x = 1  # not skipped")
    found = check_notebooks.blind_spots(nbformat.read(path, as_version=4))
    assert "code cell 1 is marked so that it need not run" in found


@pytest.mark.parametrize(
    ("source", "report"),
    [
        ('get_ipython().run_line_magic("pip", "install nope")', "calls get_ipython"),
        ('os.system("false")', "calls os.system"),
        ('subprocess.run(["false"])', "calls subprocess.run without check=True"),
        ('subprocess.run(["false"], check=False)', "calls subprocess.run without check=True"),
        ("exit()", "calls exit"),
        ('os.environ["HACK_STRICT"] = "0"', "names HACK_STRICT, which"),
    ],
)
def test_what_hides_a_failure_is_a_blind_spot(tmp_path, source, report):
    whole = 'subprocess.run(["true"], check=True)'
    path = notebook(tmp_path / "a.ipynb", whole, source)
    (found,) = check_notebooks.blind_spots(nbformat.read(path, as_version=4))
    assert f"code cell 2 {report}" in found


def test_another_environments_python_runs_the_notebooks_as_a_participant_does(
    tmp_path, monkeypatch
):
    """Nothing is there that only the course's own tools set; the kernel is the named Python's."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    python = tmp_path / "python"
    script = f'#!/bin/sh\nELSEWHERE=1 exec "{sys.executable}" "$@"\n'
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    code = """import os
assert os.environ.get("ELSEWHERE") == "1"
assert os.path.isdir(os.environ["HACK_DATA"])
assert not {"HACK_STATIC", "PYTHONPATH"} & set(os.environ)"""
    notebook(tmp_path / "notebooks/01_elsewhere.ipynb", code)
    done = run(tmp_path, "--strict", "--python", str(python))
    assert done.returncode == 0, done.stdout
    without = run(tmp_path, "--strict")
    assert without.returncode == 1 and "AssertionError" in without.stdout


def test_the_environment_is_left_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_OF_THE_CALLER", "1")
    before = dict(os.environ)
    status, results = check_notebooks.run_nbval(tmp_path, [tmp_path / "none.ipynb"], [], 1, 10.0)
    assert status != 0 and results == {} and dict(os.environ) == before


def test_kernels_start_one_at_a_time(monkeypatch):
    """Or two of them may find the same port free, and one dies of it."""
    started = []

    def start(**options):
        with pytest.raises(filelock.Timeout):
            elsewhere.acquire(timeout=0)
        started.append(options)

    elsewhere = filelock.FileLock(execution.kernel_start().lock_file)
    monkeypatch.setattr(nbval.kernel, "start_new_kernel", start)
    monkeypatch.setattr(nbval.kernel.RunningKernel, "get_message", lambda *_, **__: None)
    nbval_environment.pytest_configure(None)
    nbval.kernel.start_new_kernel(kernel_name="python3")
    assert started == [{"kernel_name": "python3"}]
    elsewhere.acquire(timeout=0)
    elsewhere.release()
