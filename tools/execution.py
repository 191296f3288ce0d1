"""Run a notebook from its first cell to its last, in a fresh kernel, and time each cell."""

import hashlib
import json
import os
import re
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from helpers import cores
from tools.sources import CourseError

ANSI = re.compile(r"(?:\x1b|#x1B)\[[0-9;]*[A-Za-z]")  # the second form stands in JUnit's XML
WIDGET = "application/vnd.jupyter.widget-view+json"


class CellError(CourseError):
    """A cell that did not come to its end. `traceback` is plain text, perhaps empty."""

    def __init__(self, name, number, total, cell, error, traceback=""):
        super().__init__(
            f"{name}: code cell {number} of {total} failed ({_first_line(cell)}): {error}"
        )
        self.error = error
        self.traceback = traceback


def course_environment(root, profile, outputs, **more):
    """Return the environment of a kernel that runs a hack of the tree at `root`.

    Parameters
    ----------
    root : pathlib.Path
        The repository; its `helpers` are the ones that are imported.
    profile : {"ci", "demo", "full"}
    outputs : pathlib.Path
        Where scoreboards and checkpoints go (``HACK_OUTPUT``).
    **more : str
        Further variables.

    Returns
    -------
    dict of str to str
    """
    # Under another Matplotlib backend than the kernel's own a figure would leave no output.
    environment = {
        k: value for k, value in os.environ.items() if k not in ("MPLBACKEND", "HACK_STRICT")
    }
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    cores.share(environment)
    environment["HACK_STATIC"] = "1"  # nobody moves a slider while a notebook is executed
    return (
        environment
        | {"PYTHONPATH": path, "HACK_PROFILE": profile, "HACK_OUTPUT": str(outputs)}
        | more
    )


def kernel_start():
    """Return a context in which no other process of this user starts a kernel for the course.

    A kernel's free ports are looked for first and taken later: of two that start at once, one may
    find its port taken, and dies.
    """
    user = os.getuid() if hasattr(os, "getuid") else ""
    return FileLock(Path(tempfile.gettempdir(), f"astro-ai-hacks-{user}.lock"))


def execute(notebook, name, folder, environment, started=None, finished=None, timeout=3600):
    """Execute all cells in place: outputs, counts, and the seconds of each in its metadata.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    name : str
        What to call it in an error.
    folder : pathlib.Path
        The kernel's working folder.
    environment : dict of str to str
        The kernel's whole environment.
    started, finished : callable, optional
        Called before and after each code cell, with its number, how many there are, and the cell.
    timeout : float
        Seconds that one cell may take.

    Returns
    -------
    float
        Seconds that all cells took together, the kernel's start included.

    Raises
    ------
    CellError
        If a cell raises, exceeds its time, or takes the kernel with it. What ran is kept.
    """
    quiet = ["--log-level=ERROR"]
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        coalesce_streams=True,
        extra_arguments=quiet,
    )
    total = sum(_runs(cell) for cell in notebook.cells)
    begin, number = time.perf_counter(), 0
    try:
        # nbclient's own loop over the cells would swallow Ctrl-C as a dead kernel.
        with ExitStack() as stack:
            with kernel_start():
                stack.enter_context(client.setup_kernel(env=environment, cwd=str(folder)))
            for index, cell in enumerate(notebook.cells):
                if not _runs(cell):
                    continue
                number += 1
                if started:
                    started(number, total, cell)
                start = time.perf_counter()
                try:
                    client.execute_cell(cell, index, execution_count=number)
                except KeyboardInterrupt:
                    client.shutdown_kernel = "immediate"
                    raise
                finally:
                    cell.metadata["seconds"] = round(time.perf_counter() - start, 1)
                    cell.outputs = [
                        output for output in cell.outputs if WIDGET not in output.get("data", {})
                    ]
                if finished:
                    finished(number, total, cell)
    except CellExecutionError as error:
        what = f"{error.ename}: {ANSI.sub('', error.evalue)}"
        raise CellError(name, number, total, cell, what, ANSI.sub("", error.traceback)) from None
    except CellTimeoutError:
        raise CellError(name, number, total, cell, f"not finished after {timeout} s") from None
    except DeadKernelError:
        raise CellError(name, number, total, cell, "the kernel died (out of memory?)") from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CourseError(f"{name}: no kernel could be started: {reason}") from None
    except NoSuchKernel:
        raise CourseError("no Jupyter kernel python3 here: run pip install ipykernel") from None
    return time.perf_counter() - begin


def _first_line(cell):
    lines = [line.strip() for line in cell.source.split("\n") if line.strip()]
    return lines[0] if lines else ""


def _runs(cell):
    return cell.cell_type == "code" and bool(cell.source.strip())


def error_outputs(notebook):
    """Return the code cells that hold an error."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in code if any(output.output_type == "error" for output in cell.outputs)]


def unexecuted(notebook):
    """Return the code cells that have never been run."""
    return [cell for cell in notebook.cells if _runs(cell) and cell.execution_count is None]


def outputs_sha256(notebook):
    """Return a sum over all that the code cells have put out, and the order in which they ran."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [(cell.execution_count, cell.outputs) for cell in code]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def refuse_outputs(cell, name, folders):
    """Raise `CourseError` if what a cell has put out should not be published.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        An executed code cell.
    name : str
        What to call its notebook.
    folders : iterable of path-like
        Folders of this machine, whose paths no output may show.
    """
    where = f"{name}: an output of `{_first_line(cell)}`"
    folders = {str(Path(folder)) for folder in folders} - {os.sep}
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        drawn = any(kind.startswith("image/") for kind in data)
        if data.get("text/plain", "").startswith("<Figure size") and not drawn:
            # Matplotlib's inline backend loads with the first figure, active one cell later.
            cure = 'call plt.switch_backend(plt.rcParams["backend"]) before the first figure'
            raise CourseError(f"{where} is a figure that was not drawn: {cure}")
        for folder in folders:
            if re.search(re.escape(folder) + r"(?![\w-])", "\n".join(_texts(output))):
                raise CourseError(f"{where} shows {folder}, a path of this machine")


def _texts(output):
    yield output.get("text", "")
    yield from output.get("traceback", ())
    for kind, content in output.get("data", {}).items():
        # The letters of an encoded image may spell anything.
        if isinstance(content, str) and (not kind.startswith("image/") or kind == "image/svg+xml"):
            yield content
