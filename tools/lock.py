"""Write the exact sets of packages: what pyproject.toml resolves to on its oldest Python.

``make lock`` runs it. uv resolves, for every system at once, and keeps the versions of last time
where they still fit; ``UPGRADE=1`` takes the newest. This file only sorts what comes out:

- ``requirements.txt``: everything but CUDA.
- ``requirements-cuda.txt``: the packages that PyTorch's CUDA build brings on Linux. The first file
  names it as constraints: they are pinned where that build is installed, and else left out.
- ``binder/requirements.txt``: the few of them that a notebook needs, with PyTorch's CPU build.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.notebooks import write
from tools.sources import ROOT, CourseError

PYTHON = "3.11.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA = re.compile(r"(cuda|nvidia)-|triton\b")
NOISE = "python_full_version < '3.12'"  # true of the course as a whole
GENERATED = "generated from pyproject.toml by `make lock`, never edited."
COURSE = f"""\
# The exact, tested set for Python 3.11: {GENERATED}
# `pip install -r requirements.txt` needs nothing else.
-c requirements-cuda.txt
"""
CONSTRAINTS = f"""\
# What PyTorch's CUDA build brings on Linux: {GENERATED}
"""
BINDER = f"""\
# What Binder installs, in the versions of the course: {GENERATED}
# PyTorch comes without CUDA, which no machine of Binder could use.
--extra-index-url {CPU_INDEX}
"""


def resolve(root, previous, *options):
    """Return the lines ``name==version ; marker`` that pyproject.toml resolves to.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    previous : list of str
        The versions of the last time, kept where they still fit.
    *options : str
        Further options of ``uv pip compile``.

    Returns
    -------
    list of str
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "requirements.txt")
        out.write_text("\n".join(previous), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
        command += ["--python-version", PYTHON]
        command += ["--no-header", "--no-annotate", "--no-strip-markers"]
        command += ["--output-file", str(out), *options]
        done = subprocess.run(command, cwd=root)
        if done.returncode:
            raise CourseError("pyproject.toml: uv found no set of packages that fits, see above")
        lines = out.read_text(encoding="utf-8").splitlines()
    return [_plain(line) for line in lines if not line.startswith("pip==")]


def _plain(line):
    """Leave out what is true on every line."""
    pin, _, marker = line.partition(" ; ")
    marker = marker.replace(f"{NOISE} and ", "").replace(f" and {NOISE}", "").replace(NOISE, "")
    return f"{pin} ; {marker}" if marker else pin


def pins(path):
    """Return the lines of a file that pin a version."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if re.match(r"[\w.-]+==", line)]


def main():
    """Write the three files."""
    files = {
        "course": ROOT / "requirements.txt",
        "cuda": ROOT / "requirements-cuda.txt",
        "binder": ROOT / "binder" / "requirements.txt",
    }
    known = pins(files["course"]) + pins(files["cuda"])
    previous = [] if os.environ.get("UPGRADE") else known
    everything = resolve(ROOT, previous, "--universal", "--extra", "course", "--extra", "dev")
    cuda = [line for line in everything if CUDA.match(line)]
    course = [line for line in everything if line not in cuda]
    light = ["--python-platform", "x86_64-manylinux_2_28", "--extra", "light"]
    with tempfile.TemporaryDirectory() as folder:
        versions = Path(folder, "course.txt")
        versions.write_text("\n".join(everything), encoding="utf-8")
        binder = resolve(ROOT, [], *light, "--constraints", str(versions))
    binder = [line for line in binder if not CUDA.match(line)]
    binder = [re.sub(r"^torch==[\d.]+", r"\g<0>+cpu", line) for line in binder]
    for text, lines, path in (
        (COURSE, course, files["course"]),
        (CONSTRAINTS, cuda, files["cuda"]),
        (BINDER, binder, files["binder"]),
    ):
        write(path, text + "\n".join(lines) + "\n")
        print(f"{path.relative_to(ROOT)}: {len(lines)} packages")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(str(error))
