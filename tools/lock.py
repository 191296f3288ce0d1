"""Write requirements.txt: the exact versions that pyproject.toml resolves to on Python 3.11.

pip-compile resolves; this file only removes what holds on one machine: the local part of a
version (``2.13.0+cpu`` is a build, not a version) and pip itself. ``make lock`` runs it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# The exact, tested set for Python 3.11: generated from pyproject.toml by `make lock`, never edited.
# `pip install -r requirements.txt` needs nothing else.
"""


def main():
    if sys.version_info[:2] != (3, 11):
        raise SystemExit("requirements.txt is the set for Python 3.11: run `make lock` with Python 3.11")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "requirements.txt"
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--extra", "course", "--extra", "dev"]
        command += ["--strip-extras", "--allow-unsafe", "--no-annotate", "--no-header", "--no-emit-index-url"]
        command += ["--no-emit-find-links", "--no-emit-trusted-host", "-o", str(out), str(ROOT / "pyproject.toml")]
        subprocess.run(command, check=True)
        pins = [line for line in out.read_text(encoding="utf-8").splitlines() if re.match(r"[A-Za-z0-9]", line)]
    pins = [re.sub(r"\+[\w.]+", "", line) for line in pins if not line.startswith("pip==")]
    text = HEADER + "\n".join(pins) + "\n"
    (ROOT / "requirements.txt").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "requirements.txt", ROOT / "binder" / "requirements.txt")
    print(f"requirements.txt: {len(pins)} packages")


if __name__ == "__main__":
    main()
