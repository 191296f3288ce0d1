"""Side-by-side measurements; the results, with machine and versions, go to benchmarks/RESULTS.md.

The contestants take turns (A B A B ...), since a machine is never quiet, and what is quoted is the
median of the ratios of the turns, with their range. ``make bench`` runs everything; ``python -m
benchmarks.run training "(d)"`` measures some rows anew.
"""

import platform
import statistics
import sys
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks import durations, ensembles, simulators, training
from helpers.datasets.files import atomic_path

RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = (
    "Ratios of times within one run, the contestants taking turns (durations: seconds); the median "
    "of the turns and their range. The letters are those of the targets: (a) share of the time "
    "that the network itself takes, (b) against the usual loop, (c) against Keras, (d) cost of "
    "checkpoints and bar, (e) growth, files and memory, (f) time to quality.\n"
)
PARTS = {
    "simulators": simulators.measure,
    "durations": durations.measure,
    "training": training.measure,
    "ensembles": ensembles.measure,
}


def main(part=None, start=""):
    """Measure everything, or what begins with `start` of one part; print it, and keep it."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    old = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("| ")}
    pages = ["# Results of `make bench`\n", INTRODUCTION, _machine()]
    for name, measure in PARTS.items():
        rows = ["| what | measured | range | target |", "|---|---|---|---|"]
        for what, function, target in measure():
            if part in (None, name) and what.startswith(start):
                values = function()
                middle, low, high = (
                    f"{value:.3g}"
                    for value in (statistics.median(values), min(values), max(values))
                )
                old[what] = f"| {what} | {middle} | {low} – {high} | {target} |"
                print(old[what], flush=True)
            rows += [old[what]] if what in old else []
        pages += [f"## {name}\n", "\n".join(rows) + "\n"]
    with atomic_path(RESULTS) as whole:
        whole.write_text("\n".join(pages), encoding="utf-8")


def _machine():
    device = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"{torch.get_num_threads()} threads"
    )
    versions = {}
    for name in ("numpy", "torch", "keras", "tensorflow", "tensorflow-cpu"):
        with suppress(PackageNotFoundError):
            versions[name] = version(name).split("+")[0]
    libraries = ", ".join(f"{name} {number}" for name, number in versions.items())
    machine = f"{date.today()}, {platform.machine()}, {device}"
    return f"{machine}, Python {platform.python_version()}, {libraries}.\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
