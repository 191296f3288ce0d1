"""`setup` starts a hack: profile, device, seed, folders; the `Run` it returns ends it with the scoreboard."""

import json
import os
import random
import sys
import warnings
from dataclasses import asdict, dataclass, field
from html import escape
from math import isfinite
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from helpers import plots
from helpers.datasets.files import atomic_path
from helpers.datasets.places import CHECKOUT, data_folder, short
from helpers.evaluation.errors import format_number
from helpers.exercises.rescue import protect_notebook
from helpers.training.devices import default_fabric

PROFILES = ("ci", "demo", "full")
CI = "ci: sizes that only prove that every cell runs; the text describes what demo shows"


def setup(name, seed=0):
    """Start a hack: seed every library in use, choose the device, and say in one line what was chosen.

    Parameters
    ----------
    name : str
        Number and name of the hack, such as "06_cherenkov_rings".
    seed : int
        Of Python, NumPy, PyTorch, and Keras when it is imported.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the environment variable ``HACK_PROFILE`` is none of ci, demo, full.
    """
    profile = os.environ.get("HACK_PROFILE") or "demo"
    if profile not in PROFILES:
        raise ValueError(
            f"expected HACK_PROFILE to be one of {', '.join(PROFILES)}, found {profile!r}: set it to one"
        )
    if os.environ.get("HACK_WARNINGS") == "error":
        warnings.filterwarnings("error", module=r"helpers\b|__main__")
    device = default_fabric().device
    output = Path(os.environ.get("HACK_OUTPUT", (CHECKOUT or Path.cwd()) / "outputs"))
    run = Run(name, profile, seed, device, data_folder(), output)
    seed_everything(seed)
    plots.use_course_style()
    plt.switch_backend(
        plt.rcParams["backend"]
    )  # else a notebook shows its first figure one cell late
    protect_notebook(name)
    shown = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"{name} · profile {profile} · device {shown} · data {short(run.data)} · seed {seed}")
    if profile == "ci":
        print(CI)
    if "google.colab" in sys.modules and device.type == "cpu":
        print(
            "The GPU is off. Switch it on: Runtime → Change runtime type → a GPU; then run the notebook again."
        )
    return run


def seed_everything(seed):
    """Seed Python, NumPy, PyTorch on all devices, and Keras when it is imported."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


@dataclass
class Score:
    """One figure of merit: this run's value beside the numbers that give it a meaning."""

    what: str
    value: float
    error: float | None = None
    unit: str = ""
    source: str | None = None
    baseline: float | None = None
    baseline_name: str | None = None
    floor: float | None = None
    floor_name: str | None = None
    target: str | None = None
    met: bool | None = None

    def __post_init__(self):
        """Take the numbers of any library: JSON knows none of NumPy's or PyTorch's."""
        for name in ("value", "error", "baseline", "floor"):
            number = getattr(self, name)
            if number is not None:
                setattr(self, name, float(number))


@dataclass
class Run:
    """One run of a hack.

    Attributes
    ----------
    name : str
        Number and name of the hack.
    profile : {"ci", "demo", "full"}
    seed : int
    device : torch.device
    data, output : pathlib.Path
        Where downloads and caches, and where results, are written.
    mock : bool
        Whether the run works on simulated data; `use` keeps it up to date, and the scoreboard shows it.
    """

    name: str
    profile: str
    seed: int
    device: torch.device
    data: Path
    output: Path
    scores: list = field(default_factory=list)
    mock: bool = False

    def pick(self, *, ci, demo, full):
        """Return the value of this run's profile; sizes so stand in the notebook, in sight."""
        return {"ci": ci, "demo": demo, "full": full}[self.profile]

    def use(self, data):
        """Note where the data come from, so that the scoreboard says MOCK where they are; return them."""
        self.mock = self.mock or data.mock
        return data

    def checkpoint(self, name):
        """Return the checkpoint file of a training run; None at `ci`, where a rerun is quick."""
        number = self.name.split("_")[0]
        path = self.output / "checkpoints" / number / f"{name}.pt"
        return None if self.profile == "ci" else path

    def score(self, what, value, error=None, *, below=None, above=None, **context):
        """Add a row to the scoreboard.

        Parameters
        ----------
        what : str
            The figure of merit.
        value, error : float
            This run's value and its standard error.
        below, above : float, optional
            The number to beat: met if the value lies at or below, or at or above, it.
        **context
            Of `Score`: unit, source, baseline, baseline_name, floor, floor_name.
        """
        score = Score(what, value, error, **context)
        if below is not None or above is not None:
            score.target = f"≤ {below:g}" if below is not None else f"≥ {above:g}"
            met = score.value <= below if below is not None else score.value >= above
            score.met = bool(met)
        self.scores = [row for row in self.scores if row.what != what] + [score]

    def scoreboard(self):
        """Return the table of all scores, and write it to the output folder for the course's page."""
        board = Scoreboard(
            self.name, self.profile, self.device.type, self.seed, self.mock, list(self.scores)
        )
        path = self.output / "scoreboards" / f"{self.name}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as part:
                Path(part).write_text(
                    json.dumps(board.as_dict(), indent=1, allow_nan=False), encoding="utf-8"
                )
        except OSError as error:
            print(
                f"the scoreboard could not be written to {short(path)} ({error.strerror}); it is shown here only"
            )
        return board


@dataclass
class Scoreboard:
    """The scores of a run, as a table in a notebook and as JSON on disk."""

    name: str
    profile: str
    device: str
    seed: int
    mock: bool
    rows: list

    def as_dict(self):
        """Return everything as JSON knows it: None stands for a number that is not finite."""
        board = asdict(self)
        for row in board["rows"]:
            infinite = [
                key
                for key, value in row.items()
                if isinstance(value, float) and not isfinite(value)
            ]
            row.update(dict.fromkeys(infinite))
        return board

    def _cells(self):
        for row in self.rows:
            value = format_number(row.value, row.error) + (f" {row.unit}" if row.unit else "")
            context = [
                f"{format_number(number, negligible=(row.error or 0) / 100)} ({name})"
                if number is not None
                else "–"
                for number, name in ((row.floor, row.floor_name), (row.baseline, row.baseline_name))
            ]
            met = {True: "✓", False: "✗", None: ""}[row.met]
            yield (
                row.what,
                value,
                *context,
                row.source or "–",
                f"{row.target} {met}" if row.target else "–",
            )

    def _repr_html_(self):
        head = ("figure of merit", "this run", "floor", "baseline", "source", "to beat")
        rows = ["".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in head)]
        rows += [
            "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            for row in self._cells()
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<p><b>{escape(self._title())}</b></p><table>{body}</table>"

    def __repr__(self):
        return "\n".join([self._title(), *(" | ".join(row) for row in self._cells())])

    def _title(self):
        mock = " · MOCK data" if self.mock else ""
        return f"{self.name} · profile {self.profile} · {self.device} · seed {self.seed}{mock}"
