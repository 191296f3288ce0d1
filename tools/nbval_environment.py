"""A pytest plugin beside nbval: each notebook's kernel gets an environment of its own, and its death is seen.

A kernel inherits the environment of the process that starts it, and one process runs many notebooks. nbval
notices a dead kernel only when the time for the cell is over.
"""

import os
import time
from functools import wraps
from pathlib import Path
from queue import Empty

import pytest
from nbval.kernel import RunningKernel

PATIENCE = 2.0


def pytest_addoption(parser):
    """Say which folders hold solved notebooks, and where the notebooks may write."""
    group = parser.getgroup("notebooks of the course")
    group.addoption("--strict-folder", action="append", default=[], help="its exercises must be solved")
    group.addoption("--output-folder", help="where the notebooks write")


def pytest_configure(config):
    """Let nbval look after the kernel while it waits for its messages."""
    if not hasattr(RunningKernel.get_message, "__wrapped__"):
        RunningKernel.get_message = _watchful(RunningKernel.get_message)


def _watchful(get_message):
    @wraps(get_message)
    def watched(kernel, stream, timeout=None):
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                left = max(0.0, end - time.monotonic())
                return get_message(kernel, stream, timeout=min(PATIENCE, left))
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the kernel died (out of memory?)") from None
                if time.monotonic() >= end:
                    raise

    return watched


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Set the environment before nbval starts the kernel with a notebook's first cell."""
    folders = [Path(folder) for folder in item.config.getoption("--strict-folder")]
    if any(item.path.is_relative_to(folder) for folder in folders):
        os.environ["HACK_STRICT"] = "1"
    else:
        os.environ.pop("HACK_STRICT", None)
    # Neither notebook of a hack may go on from the other's checkpoints.
    name = f"{item.path.parent.name}-{item.path.stem}"
    os.environ["HACK_OUTPUT"] = str(Path(item.config.getoption("--output-folder")) / name)
    item.user_properties.append(("notebook", str(item.path)))
    item.user_properties.append(("cell", str(item.cell_num)))
