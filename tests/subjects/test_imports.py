"""Importing a subject is cheap: what is slow to load is imported by those rooms that need it."""

import pkgutil
import subprocess
import sys

import pytest

from helpers import subjects

SLOW = ("torch", "sklearn", "matplotlib")
SUBJECTS = sorted(module.name for module in pkgutil.iter_modules(subjects.__path__))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_importing_a_subject_loads_nothing_slow(subject):
    program = (
        f"import sys, helpers.subjects.{subject}\n"
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
