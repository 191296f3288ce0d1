"""What an attempt at an exercise may not do: run without end, or change what is global."""

import os
import random
import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

BY_CLOCK = 10  # times as long it may take by the clock, on a machine that has other things to do


class TimeIsUp(BaseException):
    """An attempt runs for too long; no Exception, so that none catches it by mistake."""


@contextmanager
def time_limit(seconds):
    """Raise `TimeIsUp` in a block that computes for too long, or takes ten times that by the clock.

    What counts is the processor time of this thread, which neither other programs nor other
    threads use up. Only the main thread can be interrupted, not on Windows, and a call in C only
    when it is over.

    Parameters
    ----------
    seconds : float
        Of processor time.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "SIGALRM"):
        yield
        return
    last_computed = time.thread_time() + seconds
    last_by_clock = time.monotonic() + BY_CLOCK * seconds

    def look(*_):
        computes = time.thread_time() > last_computed
        waits = time.monotonic() > last_by_clock
        if computes or waits:
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)  # later, should this be caught
        if computes:
            long = f"it ran for more than {seconds} s on a tiny input"
            raise TimeIsUp(f"{long}: is there an endless loop?")
        if waits:
            raise TimeIsUp(f"it is not done after {BY_CLOCK * seconds} s: what does it wait for?")

    previous = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, seconds / 10, seconds / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def announced(sentence, seconds):
    """Print a sentence if a block is not done after so many seconds by the clock.

    It is for calls in C, a product of huge matrices say, which `time_limit` cannot end. A call
    that does not even let other threads run, as ``sum(range(10**13))``, stays silent.
    """
    shown = sys.stdout
    watchdog = threading.Timer(seconds, lambda: print(sentence, file=shown, flush=True))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


@contextmanager
def state_kept(*modules):
    """Leave what is global as a block found it, and compute on one thread meanwhile.

    Put back are the random numbers, PyTorch's switches and threads, the working folder, the
    environment, and what the names in NumPy, PyTorch and the modules given stand for. Threads that
    the block starts go on.
    """
    with ExitStack() as put_back:
        put_back.callback(random.setstate, random.getstate())
        put_back.callback(np.random.set_state, np.random.get_state())
        put_back.callback(torch.set_rng_state, torch.get_rng_state())
        put_back.callback(torch.set_default_dtype, torch.get_default_dtype())
        put_back.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        put_back.callback(torch.set_num_threads, torch.get_num_threads())
        put_back.callback(os.chdir, os.getcwd())
        put_back.callback(_set_environment, dict(os.environ))
        for module in (np, torch, *modules):
            put_back.callback(vars(module).update, dict(vars(module)))
        torch.set_num_threads(1)
        yield


def _set_environment(variables):
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
