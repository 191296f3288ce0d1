"""What holds for all tests: one thread each, processes that start at once, and the slow ones first."""

import multiprocessing
import os

import pytest

# Two tests run side by side on two cores, and their threads would only wait for each other. NumPy and PyTorch read this
# when they are imported, here and in the processes that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_modifyitems(items):
    """What is marked slow goes first, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def forkserver():
    """Make processes as `multiprocessing` does, from one that has imported the training loop and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.training"])
    return context
