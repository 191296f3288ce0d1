"""Side-by-side measurements; the results, with machine and versions, go to benchmarks/RESULTS.md.

The contestants take turns (A B A B ...), since a machine is never quiet, and what is quoted is the median of the ratios
of the turns, with their range. ``make bench`` runs everything; ``python benchmarks/run.py training`` only one part.
"""

import platform
import statistics
import sys
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
import simulators  # noqa: E402
import training  # noqa: E402

from helpers.datasets import atomic_path  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = (
    "Ratios of times within one run, the contestants taking turns; the median of the turns and their range. The letters "
    "are those of the targets: (a) share of the time that the network itself takes, (b) against the usual loop, (c) against "
    "Keras, (d) cost of checkpoints and bar, (e) growth, files and memory, (f) time to quality.\n"
)
PARTS = {"simulators": simulators.measure, "training": training.measure}


def main(names):
    """Measure the parts named, print them and put them into the results in place of their former ones."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = {part.split("\n")[0]: part.strip() + "\n" for part in old.split("\n## ")[1:]}
    for name in names:
        lines = [name, "", _machine(), "", "| what | measured | range | target |", "|---|---|---|---|"]
        for what, values, target in PARTS[name]():
            lines.append(
                f"| {what} | {statistics.median(values):.3g} | {min(values):.3g} – {max(values):.3g} | {target} |"
            )
            print(lines[-1], flush=True)
        sections[name] = "\n".join(lines) + "\n"
    text = (
        "# Results of `make bench`\n\n" + INTRODUCTION + "".join(f"\n## {sections[n]}" for n in PARTS if n in sections)
    )
    with atomic_path(RESULTS) as part:
        part.write_text(text, encoding="utf-8")


def _machine():
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    versions = {
        name: version(name).split("+")[0] for name in ("numpy", "torch", "keras", "tensorflow") if find_spec(name)
    }
    libraries = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{date.today()}, {platform.machine()}, {device}, Python {platform.python_version()}, {libraries}."


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
