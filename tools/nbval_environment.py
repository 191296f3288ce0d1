"""A pytest plugin beside nbval: each notebook has its own environment, and nothing fails unseen.

A kernel inherits the environment of the process that starts it, and one process runs many
notebooks. nbval notices a dead kernel only when the time for the cell is over.
"""

import os
import re
import time
from functools import wraps
from pathlib import Path
from queue import Empty

import nbval.kernel
import pytest
from nbval.kernel import RunningKernel

from tools.execution import kernel_start

PATIENCE = 2.0
WARNING = re.compile(r"^.*\b\w*Warning: .*$", re.MULTILINE)  # as Python shows one
SOLVED = "✓"  # as helpers.exercises begins its line about a correct answer


def pytest_addoption(parser):
    """Say which folders hold solved notebooks, and where the notebooks may write."""
    group = parser.getgroup("notebooks of the course")
    group.addoption(
        "--strict-folder", action="append", default=[], help="its exercises must be solved"
    )
    group.addoption("--output-folder", help="where the notebooks write")


def pytest_configure(config):
    """Let nbval look after the kernel while it waits, and note how each cell ended."""
    if not hasattr(RunningKernel.get_message, "__wrapped__"):
        RunningKernel.get_message = _watchful(RunningKernel.get_message)
        nbval.kernel.start_new_kernel = _alone(nbval.kernel.start_new_kernel)


def _alone(start_new_kernel):
    @wraps(start_new_kernel)
    def started(*arguments, **options):
        with kernel_start():
            return start_new_kernel(*arguments, **options)

    return started


def _watchful(get_message):
    @wraps(get_message)
    def watched(kernel, stream, timeout=None):
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                left = max(0.0, end - time.monotonic())
                message = get_message(kernel, stream, timeout=min(PATIENCE, left))
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the kernel died (out of memory?)") from None
                if time.monotonic() >= end:
                    raise
                continue
            if message["msg_type"] == "execute_reply":
                kernel.reply = message["content"]
            return message

    return watched


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail what nbval passes: an error unseen, a kernel gone, a warning, a missing answer."""
    result = yield
    kernel = item.parent.kernel
    if kernel.reply["status"] != "ok":
        error = f"{kernel.reply.get('ename')}: {kernel.reply.get('evalue')}"
        raise RuntimeError(f"the cell showed no error, but the kernel reports one: {error}")
    # Only a kernel that is still there answers.
    kernel.await_reply(kernel.kc.kernel_info(), timeout=item.config.getoption("nbval_cell_timeout"))
    shown = [output for output in item.test_outputs if output.get("name") == "stderr"]
    for warning in WARNING.findall("".join(output["text"] for output in shown)):
        raise RuntimeError(f"a participant would see this warning: {warning}")
    exercise = "exercise" in item.cell.metadata.get("tags", ())
    if exercise and _is_strict(item):
        shown = "".join(output.get("text", "") for output in item.test_outputs)
        if SOLVED not in shown:
            raise RuntimeError(f"expected an exercise that answers {SOLVED}, found none: check it")
    return result


def _is_strict(item):
    folders = item.config.getoption("--strict-folder")
    return any(item.path.is_relative_to(folder) for folder in folders)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Set the environment before nbval starts the kernel with a notebook's first cell."""
    if _is_strict(item):
        os.environ["HACK_STRICT"] = "1"
    else:
        os.environ.pop("HACK_STRICT", None)
    # Neither notebook of a hack may go on from the other's checkpoints.
    name = f"{item.path.parent.name}-{item.path.stem}"
    os.environ["HACK_OUTPUT"] = str(Path(item.config.getoption("--output-folder")) / name)
    item.user_properties.append(("notebook", str(item.path)))
    item.user_properties.append(("cell", str(item.cell_num)))
