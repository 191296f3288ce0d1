"""What a training run leaves behind: plain lists, one entry an epoch or, for a GAN, every so many steps."""

from dataclasses import dataclass, field


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
        Duration of each epoch, or of the steps since the entry before.
    best_epoch : int or None
        Epoch (from 1) with the lowest validation loss, whose weights the model now has; None where the
        weights are those of the last epoch.
    stopped_early : bool
        Whether the validation loss had not improved for `patience` epochs.
    steps : list of int
        Of a GAN: generator steps made up to each entry. The other lists of a GAN are means since the one before.
    critic_loss, generator_loss : list of float
        Of a GAN. The critic's is without the penalty: for a Wasserstein objective, minus the distance estimated.
    metrics : dict of str to list of float
        Of a GAN: what the callback returned, by name.
    snapshots : dict of int to dict
        Of a GAN: the generator's weights after so many steps, for its `load_state_dict`.
    """

    train_loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    learning_rate: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False
    steps: list = field(default_factory=list)
    critic_loss: list = field(default_factory=list)
    generator_loss: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    snapshots: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.seconds)

    def losses(self):
        """Return the curves that there are, by name: "training" and "validation", or "critic" and "generator"."""
        curves = {"training": self.train_loss, "validation": self.validation_loss}
        curves |= {"critic": self.critic_loss, "generator": self.generator_loss}
        return {name: curve for name, curve in curves.items() if curve}

    def state_dict(self):
        """Return everything but the snapshots as a dictionary of plain lists and numbers."""
        copies = {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
        }
        return copies | {
            "snapshots": {},
            "metrics": {name: list(curve) for name, curve in self.metrics.items()},
        }

    def load_state_dict(self, saved):
        """Take over what `state_dict` returned."""
        vars(self).update(saved)
