"""Run every notebook with nbval at the ci profile: participants' as they are, solved ones strictly.

Usage::

    python -m tools.check_notebooks [--notebooks DIR ...] [--strict DIR ...] [--record] [-n 2]
    python -m tools.check_notebooks --python .venv-colab/bin/python    # with the packages there
"""

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nbval.plugin import find_comment_markers, find_metadata_tags

from tools.execution import ANSI, course_environment
from tools.listing import record_minutes
from tools.notebooks import read_notebook
from tools.sources import NAME, ROOT

KERNEL = "elsewhere"  # what a kernel of another environment is called
# pytest, with the plugin of the tools at hand wherever it runs; its kernels do not see the path.
PYTEST = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
PLUGINS = (
    "nbval.plugin",
    "tools.nbval_environment",
    "xdist.plugin",
    "no:cacheprovider",
    "no:warnings",
)
# With these markers nbval passes a cell that did not run, or that failed.
BLIND = {"skip", "check_exception"}
# Calls after which a cell comes to its end although something failed, or that end the kernel.
SILENT = {"exit", "get_ipython", "quit"}
SILENT |= {f"os.{name}" for name in ("popen", "system")}
SILENT |= {f"subprocess.{name}" for name in ("Popen", "call", "getoutput", "getstatusoutput")}


@dataclass
class CellResult:
    """What pytest reports of one code cell, counted from 0."""

    cell: int
    seconds: float
    failure: str


def blind_spots(notebook):
    """Return why nbval would pass a notebook without having run all of it: a list of sentences."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    faults = []
    active = False
    for number, cell in enumerate(code, start=1):
        name = f"code cell {number}"
        if _markers(cell) & BLIND:
            faults.append(f"{name} is marked so that it need not run")
        if "HACK_STRICT" in cell.source:
            faults.append(f"{name} names HACK_STRICT, which only this tool may set")
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            faults.append(f"{name} is not plain Python: a failed magic or !command passes")
            continue
        active |= any(not isinstance(statement, ast.Pass) for statement in tree.body)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        silent = filter(None, map(_silent, calls))
        faults += [f"{name} calls {call}: what fails there passes" for call in silent]
    if not active and not faults:
        return ["there is no code cell in it that does anything"]
    return faults


def _markers(cell):
    """Return what nbval reads out of the cell's comments and tags."""
    markers = [*find_comment_markers(cell.source), *find_metadata_tags(cell.metadata)]
    return {name for name, _ in markers}


def _silent(call):
    """Return the name of a call that hides a failure, or None."""
    name = ast.unparse(call.func)
    if name in SILENT:
        return name
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name == "subprocess.run" and keywords.get("check") != "True":
        return "subprocess.run without check=True"
    return None


def run_nbval(root, files, strict, workers, timeout, python=None):
    """Run the notebooks in one pool of workers.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    files : list of pathlib.Path
        The notebooks.
    strict : list of pathlib.Path
        Folders whose notebooks run with ``HACK_STRICT=1``.
    workers : int
        How many notebooks run at a time.
    timeout : float
        Seconds that one cell may take.
    python : pathlib.Path, optional
        Of an environment with the course installed: the notebooks run as a participant's do.

    Returns
    -------
    status : int
        pytest's exit status.
    results : dict of pathlib.Path to list of CellResult
    """
    with tempfile.TemporaryDirectory() as folder:
        # An empty configuration: the one of the unit tests is not meant for notebooks.
        settings = Path(folder, "pytest.ini")
        report = Path(folder, "report.xml")
        settings.write_text("[pytest]\n", encoding="utf-8")
        base = _base(root, files)
        command = [sys.executable, "-c", PYTEST, str(ROOT)]
        command += ["-c", str(settings), f"--rootdir={base}"]
        for plugin in PLUGINS:
            command += ["-p", plugin]
        command += ["--nbval-lax", f"--nbval-cell-timeout={timeout:g}", f"--output-folder={folder}"]
        command += [f"--strict-folder={path}" for path in strict]
        command += ["-n", str(workers), "--dist", "loadscope"] if workers > 1 else []
        command += ["--junitxml", str(report), "-o", "junit_family=xunit1"]
        command += ["-q", "--no-header", "--tb=no", "-rN", "--color=no"]
        command += [os.path.relpath(path, base) for path in files]
        environment = _without_pytest(course_environment(root, "ci", folder, HACK_WARNINGS="error"))
        if python:
            command.append(f"--nbval-kernel-name={KERNEL}")
            environment = _of_a_participant(environment, python, Path(folder))
        threads = max(1, (os.cpu_count() or 1) // workers)
        environment.setdefault("OMP_NUM_THREADS", str(threads))
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        sys.stdout.flush()
        status = subprocess.run(command, cwd=base, env=environment).returncode
        return status, _read_report(report) if report.is_file() else {}


def _without_pytest(environment):
    """Return the environment without what a pytest around this one has set."""
    return {name: v for name, v in environment.items() if not name.startswith("PYTEST_")}


def _of_a_participant(environment, python, folder):
    """Return the environment of notebooks whose kernels another Python starts."""
    spec = folder / "kernels" / KERNEL / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(
        json.dumps({"argv": command, "display_name": KERNEL, "language": "python"}),
        encoding="utf-8",
    )
    kept = {
        name: value
        for name, value in environment.items()
        if name not in ("HACK_STATIC", "PYTHONPATH")
    }
    data = folder / "data"  # one that is there, or caches would be written beside the notebooks
    data.mkdir()
    return kept | {"JUPYTER_PATH": str(folder), "HACK_DATA": str(data)}


def _base(root, files):
    """Return a folder that holds all notebooks: relative to it no two have the same name."""
    return os.path.commonpath([root, *(path.parent for path in files)])


def _read_report(path):
    results = defaultdict(list)
    for case in ElementTree.parse(path).iter("testcase"):
        properties = {p.get("name"): p.get("value") for p in case.iter("property")}
        faults = [child for child in case if child.tag in ("failure", "error", "skipped")]
        texts = [ANSI.sub("", f"{fault.text or fault.get('message')}").strip() for fault in faults]
        if "notebook" in properties:
            cell = CellResult(int(properties["cell"]), float(case.get("time")), "\n".join(texts))
            results[Path(properties["notebook"])].append(cell)
    return results


def first_fault(notebook, results):
    """Return what is wrong first with a notebook that ran, or "" if every cell came to its end."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    ran = {result.cell for result in results}
    for result in sorted(results, key=lambda result: result.cell):
        if result.failure:
            source = "\n".join(f"  | {line}" for line in code[result.cell].split("\n")[:5])
            return (
                f"code cell {result.cell + 1} of {len(code)}\n{source}\n{_message(result.failure)}"
            )
    missing = [number for number in range(len(code)) if number not in ran]
    return f"code cell {missing[0] + 1} of {len(code)} did not run" if missing else ""


def _message(failure):
    """Return what went wrong and the end of the traceback, without the source of the cell."""
    message, _, traceback = failure.partition("Traceback:\n")
    found = re.search(r"^(?:Cell \d+|pytest plugin exception): (.*)", message, re.MULTILINE)
    said = found[1] if found else message.strip()
    lines = [line for line in traceback.split("\n") if line.strip()]
    return "\n".join(f"    {line}" for line in [said, *lines[-5:]])


def check(root, plain, strict, workers=2, timeout=300.0, record=False, python=None):
    """Run all notebooks of the folders, print the minutes and the first failure of each.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    plain, strict : list of pathlib.Path
        Folders of untouched and of solved notebooks.
    workers : int
        How many notebooks run at a time.
    timeout : float
        Seconds that one cell may take.
    record : bool
        Whether to write the minutes to ``benchmarks/minutes.json``.
    python : pathlib.Path, optional
        See `run_nbval`.

    Returns
    -------
    bool
        Whether every cell of every notebook ran to its end, and there was one.
    """
    files = [path for folder in [*plain, *strict] for path in sorted(folder.glob("*.ipynb"))]
    empty = [folder for folder in [*plain, *strict] if not any(folder.glob("*.ipynb"))]
    for folder in empty:
        print(f"{folder}: no notebook to run", file=sys.stderr)
    if not files:
        return False
    # pytest takes what follows a bracket for the name of a test, and then runs nothing at all.
    base = _base(root, files)
    odd = [path for path in files if "[" in os.path.relpath(path, base)]
    fit = [path for path in files if path not in odd]
    status, results = run_nbval(root, fit, strict, workers, timeout, python) if fit else (0, {})
    faults = dict.fromkeys(odd, "its name has a bracket [, which pytest cannot read: rename it")
    for path in fit:
        notebook = read_notebook(path)
        if notebook is None:
            faults[path] = "not a notebook"
            continue
        found = [*blind_spots(notebook), first_fault(notebook, results.get(path, []))]
        faults[path] = next(filter(None, found), "")
    minutes = {path: sum(cell.seconds for cell in results.get(path, [])) / 60 for path in files}
    print("\nminutes  notebook")
    for path in files:
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        print(f"{minutes[path]:7.2f}  {shown}" + ("  FAILED" if faults[path] else ""))
    for path, fault in faults.items():
        if fault:
            print(f"\n{path.name} in {path.parent.name}: {fault}")
    good = not status and not empty and not any(faults.values())
    if record and good:
        _record(root, minutes)
    return good


def _record(root, minutes):
    """Write each hack's minutes; of its two notebooks the slower one counts."""
    measured = {}
    for path, value in minutes.items():
        if NAME.fullmatch(path.stem):
            measured[path.stem] = max(value, measured.get(path.stem, 0.0))
    record_minutes(root, "ci", measured)
    print("\nbenchmarks/minutes.json is written; to show it in the notebooks run: make notebooks")


def main(arguments=None):
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument(
        "--notebooks", nargs="*", default=["notebooks"], help="folders to run as they are"
    )
    parser.add_argument(
        "--strict", nargs="*", default=["solutions"], help="folders run with HACK_STRICT=1"
    )
    parser.add_argument(
        "--record", action="store_true", help="write the minutes to benchmarks/minutes.json"
    )
    parser.add_argument(
        "--timeout", type=float, default=300.0, help="seconds that one cell may take"
    )
    parser.add_argument(
        "--python", type=Path, help="of another environment, with the course installed in it"
    )
    parser.add_argument(
        "-n", "--workers", type=int, default=2, help="how many notebooks run at a time"
    )
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    plain = [(root / folder).resolve() for folder in options.notebooks]
    strict = [(root / folder).resolve() for folder in options.strict]
    python = options.python and options.python.absolute()
    return not check(root, plain, strict, options.workers, options.timeout, options.record, python)


if __name__ == "__main__":
    sys.exit(main())
