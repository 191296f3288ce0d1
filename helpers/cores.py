"""How many threads a kernel starts, and how they wait; NumPy and PyTorch are imported later."""

import math
import os
import sys
from pathlib import Path

GROUP = Path("/sys/fs/cgroup")  # where Linux says what a container may use
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def allowed(group=GROUP):
    """Return the number of cores that this process may use.

    Parameters
    ----------
    group : pathlib.Path
        The folder of the process's control group (version 1 or 2): a container or a shared server
        may allow fewer cores than the machine has.

    Returns
    -------
    int
    """
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return max(1, math.ceil(min(cores, _quota(group))))


def _quota(group):
    """Cores that the control group grants, infinite where it grants all."""
    version_2 = group / "cpu.max"
    version_1 = group / "cpu"
    try:
        if version_2.is_file():
            granted, period = version_2.read_text(encoding="ascii").split()
        else:
            granted = (version_1 / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (version_1 / "cpu.cfs_period_us").read_text(encoding="ascii")
        if granted in ("max", "-1"):
            return math.inf
        return int(granted) / int(period)
    except (OSError, ValueError):
        return math.inf


def share(environment=os.environ):
    """Let numerical libraries use the cores that are allowed, and leave other programs room.

    A thread that has nothing to do usually waits in a loop. That costs nothing on a quiet machine;
    beside another program it makes the training of small networks several times as slow.

    Parameters
    ----------
    environment : dict of str to str
        Where it is written; what stands there already is left alone. Libraries read it when they
        are imported, so that this comes first.
    """
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    cores = allowed()
    if cores < (os.cpu_count() or 1):
        for name in THREADS:
            environment.setdefault(name, str(cores))
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(int(environment[THREADS[0]]))
