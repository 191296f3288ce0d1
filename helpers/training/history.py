"""What a training run leaves behind: plain lists, one entry an epoch."""

from dataclasses import asdict, dataclass, field


@dataclass
class History:
    """The course of a training run.

    Attributes
    ----------
    train_loss : list of float
        Mean loss over the training samples of each epoch, while the weights were changing.
    validation_loss : list of float
        Mean loss over the validation samples at the end of each epoch; empty without validation data.
    learning_rate : list of float
        Learning rate that the schedule has reached after each epoch.
    seconds : list of float
        Duration of each epoch.
    best_epoch : int or None
        Epoch (from 1) with the lowest validation loss, whose weights the model now has; None where the
        weights are those of the last epoch.
    stopped_early : bool
        Whether the validation loss had not improved for `patience` epochs.
    """

    train_loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    learning_rate: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False

    def __len__(self):
        return len(self.train_loss)

    def losses(self):
        """Return the curves that there are, by name: "training", and "validation" where there is one."""
        curves = {"training": self.train_loss, "validation": self.validation_loss}
        return {name: curve for name, curve in curves.items() if curve}

    def state_dict(self):
        """Return everything as a dictionary of plain lists and numbers."""
        return asdict(self)

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        vars(self).update(saved)
