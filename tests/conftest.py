"""What holds for all tests: one thread each, processes that start at once, slow ones first."""

import multiprocessing
import os
from pathlib import Path

import pytest

# What NumPy and PyTorch read when they are imported, here and in the processes that a test starts:
# two tests run side by side on two cores, and more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Those processes import the helpers that lie beside the tests, wherever they run.
ROOT = Path(__file__).resolve().parents[1]
paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def pytest_collection_modifyitems(items):
    """What is marked slow goes first, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """The only folder in which data are looked for: empty, data/ of the working directory."""
    from helpers.datasets import places  # after the number of threads is set

    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.delenv("HACK_DATA", raising=False)
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture(scope="session")
def forkserver():
    """Make processes like `multiprocessing`, from one that has imported the training loop only."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.training"])
    return context
