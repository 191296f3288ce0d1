"""How many threads a kernel starts, and how they wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import cores

ROOT = Path(__file__).resolve().parents[1]
ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ALL),
        ({"cpu.max": "max 100000\n"}, ALL),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "100000000 100000\n"}, ALL),
        ({"cpu.max": "of another kind"}, ALL),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, ALL),
        ({"cpu/cpu.cfs_quota_us": "90000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_a_container_may_allow_fewer_cores_than_there_are(tmp_path, files, expected):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
    assert cores.allowed(tmp_path) == expected


def test_threads_wait_without_turning_and_are_as_many_as_allowed(monkeypatch):
    monkeypatch.setattr(cores, "allowed", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    environment = {"OPENBLAS_NUM_THREADS": "3"}
    cores.share(environment)
    expected = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    assert environment == {"OPENBLAS_NUM_THREADS": "3"} | expected


def test_where_all_cores_are_allowed_libraries_choose_themselves(monkeypatch):
    monkeypatch.setattr(cores, "allowed", lambda: 8)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    cores.share(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_it_comes_before_what_it_is_for():
    """In the set-up cell nothing that starts threads may be imported before."""
    script = "import sys; from helpers import cores; print({'numpy', 'torch'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    found = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert found.stdout.strip() == "set()"
