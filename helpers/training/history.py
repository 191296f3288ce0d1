"""What a training run leaves behind: named curves of plain numbers, one entry after the other."""

from dataclasses import dataclass, field


@dataclass
class History:
    """The course of a training run.

    Attributes
    ----------
    curves : dict of str to list of float
        Each loss by its name, one number an entry: "training" and "validation" of `fit`, "critic"
        and "generator" of `fit_gan`, else what the game calls them. A loss of a step is the mean
        over the steps since the entry before, while the weights were changing. The critic's is
        without the penalty: for a Wasserstein objective, minus the distance estimated.
    steps : list of int
        Where entries are made every so many steps: steps made up to each one. Empty where each
        entry is an epoch.
    metrics : dict of str to list of float
        What else was measured at each entry, by name.
    learning_rate : list of float
        Of `fit`: what the schedule has reached after each epoch.
    seconds : list of float
        Duration of each epoch, or of the steps since the entry before.
    best_epoch : int or None
        Epoch (from 1) with the lowest validation loss, whose weights the model now has; None where
        the weights are those of the last epoch.
    stopped_early : bool
        Whether the game ended before its time: of `fit`, because the validation loss had not
        improved for `patience` epochs.
    snapshots : dict of int to dict
        Weights after so many steps, for the `load_state_dict` of a network.
    """

    curves: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    learning_rate: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False
    snapshots: dict = field(default_factory=dict)

    def __len__(self):
        """Return the number of entries."""
        return max(map(len, self.curves.values()), default=0)

    def add_losses(self, losses):
        """Add a number to the curve of each loss, by name."""
        for name, value in losses.items():
            self.curves.setdefault(name, []).append(float(value))

    def add_metrics(self, measured):
        """Add what was measured at this entry, a number each, by name."""
        for name, value in measured.items():
            self.metrics.setdefault(name, []).append(float(value))

    def state_dict(self):
        """Return everything but the snapshots as a dictionary of plain lists and numbers."""
        return {
            "curves": _copies(self.curves),
            "steps": list(self.steps),
            "metrics": _copies(self.metrics),
            "learning_rate": list(self.learning_rate),
            "seconds": list(self.seconds),
            "best_epoch": self.best_epoch,
            "stopped_early": self.stopped_early,
        }

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        vars(self).update(saved)


def _copies(curves):
    return {name: list(curve) for name, curve in curves.items()}
