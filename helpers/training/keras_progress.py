"""The progress bar and the `History` of the other loops, for a Keras model on any backend."""

import time

import keras

from helpers.training.history import History
from helpers.training.progress import Bar


class KerasProgress(keras.callbacks.Callback):
    """Callback for ``model.fit(..., verbose=0, callbacks=[...])``.

    Parameters
    ----------
    stopping : keras.callbacks.EarlyStopping, optional
        The one of the same call, so that the history tells which epoch the weights are of.
    progress : bool
        Show a progress bar.

    Attributes
    ----------
    history : History
        Filled while the model trains.
    """

    def __init__(self, stopping=None, progress=True):
        super().__init__()
        self.stopping = stopping
        self.progress = progress
        self.history = History()
        self.bar = None

    def on_train_begin(self, logs=None):
        """Start anew: a second call of ``fit`` has a history of its own."""
        self.history = History()
        self.bar = None

    def on_epoch_begin(self, epoch, logs=None):
        """Note the time."""
        self.start = time.perf_counter()

    def on_train_batch_begin(self, batch, logs=None):
        """Show the bar, as soon as Keras says how many steps there are."""
        if self.bar is None:
            steps = self.params.get("steps")
            total = steps and steps * self.params["epochs"]
            self.bar = Bar(total, shown=self.progress)

    def on_train_batch_end(self, batch, logs=None):
        """Note a step."""
        self.bar.step()

    def on_epoch_end(self, epoch, logs=None):
        """Note what Keras measured in this epoch."""
        names = {"loss": "training", "val_loss": "validation"}
        losses = {name: logs[theirs] for theirs, name in names.items() if theirs in logs}
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self.history.add_losses(losses)
        self.history.learning_rate.append(float(rate))
        self.history.seconds.append(time.perf_counter() - self.start)
        self.bar.entry(self.history)

    def on_train_end(self, logs=None):
        """Take the bar away, and note whether the training was stopped early."""
        if self.bar:
            self.bar.close()
        self.history.stopped_early = bool(self.model.stop_training)
        if self.stopping and self.stopping.restore_best_weights:
            self.history.best_epoch = self.stopping.best_epoch + 1
