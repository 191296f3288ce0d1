"""An attempt at an exercise runs for so long and no longer, and leaves what is global as it was."""

import io
import os
import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from helpers.exercises import attempts
from helpers.exercises.attempts import TimeIsUp, announced, state_kept, time_limit


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Other programs may keep a test waiting for long."""
    monkeypatch.setattr(attempts, "BY_CLOCK", 1000)


def busy(seconds):
    """Compute for so many seconds of this thread's own processor time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_an_endless_loop_is_ended():
    with pytest.raises(TimeIsUp, match="ran for more than 0.1 s on a tiny input"), time_limit(0.1):
        busy(100)


def test_neither_waiting_nor_other_threads_use_up_the_time():
    other = threading.Thread(target=busy, args=[0.3])
    with time_limit(0.15):
        other.start()
        other.join()
        time.sleep(0.3)


def test_waiting_without_end_is_ended_by_the_clock(monkeypatch):
    monkeypatch.setattr(attempts, "BY_CLOCK", 10)
    with pytest.raises(TimeIsUp, match="not done after 0.2 s: what does it"), time_limit(0.02):
        threading.Event().wait()


def test_who_catches_the_end_is_ended_again():
    caught = []
    with time_limit(0.1):
        while len(caught) < 2:
            try:
                busy(100)
            except BaseException as error:
                caught.append(error)
    assert [type(error) for error in caught] == [TimeIsUp, TimeIsUp]


def test_no_signal_comes_after_the_block():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(1):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_in_another_thread_a_block_runs_without_a_limit():
    done = []

    def block():
        with time_limit(0.02):
            busy(0.1)
            done.append(True)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert done


def test_a_block_that_goes_on_is_announced_and_a_quick_one_is_not(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    before = set(threading.enumerate())
    with announced("quick", 20):
        quick = set(threading.enumerate()) - before
    for watchdog in quick:
        watchdog.join()
    assert quick and not shown.getvalue()
    with time_limit(0.1), announced("slow", 0.01):
        while not shown.getvalue().endswith("\n"):
            time.sleep(0.01)
    assert shown.getvalue() == "slow\n"


def drawn():
    return random.random(), np.random.rand(), float(torch.rand(1))


def test_random_numbers_go_on_as_if_there_had_been_no_block():
    results = []
    for draws in (0, 3):
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        with state_kept():
            for _ in range(draws):
                drawn()
        results.append(drawn())
    assert results[0] == results[1]


CHANGES = {
    "type of numbers": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "gradients": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "threads": (torch.get_num_threads, lambda: torch.set_num_threads(3)),
    "folder": (os.getcwd, lambda: os.chdir(os.pardir)),
    "new variable": (lambda: dict(os.environ), lambda: os.environ.update(A_NEW_VARIABLE="1")),
    "changed variable": (lambda: dict(os.environ), lambda: os.environ.update(PATH="")),
    "removed variable": (lambda: dict(os.environ), lambda: os.environ.pop("PATH")),
    "NumPy": (lambda: np.median, lambda: setattr(np, "median", None)),
    "PyTorch": (lambda: torch.tensor, lambda: delattr(torch, "tensor")),
    "a module": (lambda: attempts.TimeIsUp, lambda: setattr(attempts, "TimeIsUp", None)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_block_changes_is_put_back(what, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/somewhere")
    look, change = CHANGES[what]
    before = look()
    with pytest.raises(ZeroDivisionError), state_kept(attempts):
        change()
        raise ZeroDivisionError
    assert look() == before


def test_a_block_computes_on_one_thread_and_keeps_what_it_imports():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with state_kept():
            assert torch.get_num_threads() == 1
            np.loaded_by_the_block = 1
        assert torch.get_num_threads() == 2
        assert np.loaded_by_the_block == 1
    finally:
        torch.set_num_threads(before)
        del np.loaded_by_the_block
