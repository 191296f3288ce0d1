"""`setup` starts a hack; the `Run` that it returns ends it with the scoreboard."""

import json
import os
import random
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython import get_ipython

from helpers import plots
from helpers.datasets.files import atomic_path
from helpers.datasets.places import CHECKOUT, data_folder, short
from helpers.exercises.rescue import protect_notebook
from helpers.plots.display import show_figures
from helpers.scoreboard import Claim, Score, Scoreboard
from helpers.training.devices import default_fabric

PROFILES = ("ci", "demo", "full")
CI = "ci: sizes that only prove that every cell runs; the text describes what demo shows"
NO_GPU = (
    "The GPU is off. Switch it on: Runtime → Change runtime type → a GPU; "
    "then run the notebook again."
)


def setup(name, seed=0):
    """Start a hack: seed every library in use, choose the device, and say what was chosen.

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
    profile = _profile()
    if os.environ.get("HACK_WARNINGS") == "error":
        warnings.filterwarnings("error", module=r"helpers\b|__main__")
    device = default_fabric().device
    here = CHECKOUT or Path.cwd()
    output = Path(os.environ.get("HACK_OUTPUT", here / "outputs"))
    run = Run(name, profile, seed, device, data_folder(), output)
    seed_everything(seed)
    plots.use_course_style()
    plt.switch_backend(plt.rcParams["backend"])  # else the first figure is shown one cell late
    shell = get_ipython()
    if shell:
        show_figures(shell)
    protect_notebook(name)
    _announce(run)
    return run


def _profile():
    profile = os.environ.get("HACK_PROFILE") or "demo"
    if profile not in PROFILES:
        known = ", ".join(PROFILES)
        raise ValueError(
            f"expected HACK_PROFILE to be one of {known}, found {profile!r}: set it to one"
        )
    return profile


def _announce(run):
    on_gpu = run.device.type == "cuda"
    device = torch.cuda.get_device_name(run.device) if on_gpu else run.device.type
    facts = [
        run.name,
        f"profile {run.profile}",
        f"device {device}",
        f"data {short(run.data)}",
        f"seed {run.seed}",
    ]
    print(" · ".join(facts))
    if run.profile == "ci":
        print(CI)
    if "google.colab" in sys.modules and run.device.type == "cpu":
        print(NO_GPU)


def seed_everything(seed):
    """Seed Python, NumPy, PyTorch on all devices, and Keras when it is imported."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


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
    scores : list of helpers.scoreboard.Score
    tested : list of helpers.scoreboard.Claim
    mock : bool
        Whether the run works on simulated data; `use` keeps it up to date, and the scoreboard
        shows it.
    """

    name: str
    profile: str
    seed: int
    device: torch.device
    data: Path
    output: Path
    scores: list = field(default_factory=list)
    tested: list = field(default_factory=list)
    mock: bool = False

    def pick(self, *, ci, demo, full):
        """Return the value of this run's profile; sizes so stand in the notebook, in sight."""
        return {"ci": ci, "demo": demo, "full": full}[self.profile]

    def use(self, data):
        """Note where the data come from, so that the scoreboard says MOCK; return them."""
        self.mock = self.mock or data.mock
        return data

    def checkpoint(self, name):
        """Return the checkpoint file of a training run; None at `ci`, where a rerun is quick."""
        if self.profile == "ci":
            return None
        number = self.name.split("_")[0]
        return self.output / "checkpoints" / number / f"{name}.pt"

    def score(self, what, value, error=None, *, below=None, above=None, **context):
        """Add a row to the scoreboard, or replace the row of the same name.

        Parameters
        ----------
        what : str
            The figure of merit.
        value, error : float
            This run's value and its standard error.
        below, above : float, optional
            The number to beat: met if the value lies at or below, or at or above, it.
        **context
            Of `Score`: unit, source, baseline, baseline_name, and either floor, floor_name of an
            error or ceiling, ceiling_name of a score.

        Raises
        ------
        ValueError
            If floors and ceilings are mixed.
        """
        score = Score(what, value, error, **context)
        score.reach(below, above)
        self.scores = [row for row in self.scores if row.what != what] + [score]

    def scoreboard(self):
        """Return the table of all scores, and keep it for the course's page."""
        return self._board().scores_table()

    def claim(self, claim, found, verdict, *, data=None, source=None):
        """Say what became of a claim of the source; a claim that was said before is replaced.

        Parameters
        ----------
        claim, found : str
            What the source claimed, and what the experiment here found.
        verdict : {"holds", "does not hold here", "cannot be tested here"}
        data : str, optional
            On which data; without it, what the run uses: "MOCK" or "real".
        source : str, optional
            Who claimed it, where that is not the hack's one source.

        Raises
        ------
        ValueError
            If the verdict is another.
        """
        used = "MOCK" if self.mock else "real"
        row = Claim(claim, found, verdict, data or used, source)
        self.tested = [other for other in self.tested if other.claim != claim] + [row]

    def claims(self):
        """Return the table of all claims, and keep it for the course's page."""
        return self._board().claims_table()

    def _board(self):
        board = Scoreboard(
            name=self.name,
            profile=self.profile,
            device=self.device.type,
            seed=self.seed,
            mock=self.mock,
            rows=list(self.scores),
            claims=list(self.tested),
        )
        path = self.output / "scoreboards" / f"{self.name}.json"
        text = json.dumps(board.as_dict(), indent=1, allow_nan=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as part:
                Path(part).write_text(text, encoding="utf-8")
        except OSError as error:
            print(
                f"the scoreboard could not be written to {short(path)} ({error.strerror}); "
                "it is shown here only"
            )
        return board
