"""The progress bar of every training loop, Keras's included."""

from tqdm.auto import tqdm


class Bar:
    """A progress bar in steps, with the losses of the last entry of the history and the time left.

    Parameters
    ----------
    total, done : int
        Steps of the whole run, and of those the ones made before.
    shown : bool
    """

    def __init__(self, total, done=0, shown=True):
        self.bar = tqdm(
            total=total, initial=done, unit="step", disable=not shown, leave=False, mininterval=0.5
        )

    def step(self):
        """Note that one step more is done."""
        self.bar.update()

    def entry(self, history):
        """Show the losses of the last entry."""
        losses = [f"{name} {curve[-1]:.4g}" for name, curve in history.curves.items()]
        self.bar.set_postfix_str(", ".join(losses), refresh=False)

    def close(self):
        """Take the bar away."""
        self.bar.close()
