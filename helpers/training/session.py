"""What surrounds the loop: progress bar, checkpoints, Ctrl-C, and the way back to good weights."""

import signal
import threading

from helpers.datasets.places import short
from helpers.training.failures import TrainingError, TrainingInterrupted, finite_weights
from helpers.training.progress import Bar


class Session:
    """The course of one call of `play`, as a context.

    Ctrl-C becomes a wish that is fulfilled after a whole step; a second Ctrl-C stops at once. (Only
    in the main thread, and where one process trains alone: of several, each is stopped at once.)
    After a `TrainingError` the networks have the weights that were last known to be good.

    Parameters
    ----------
    state : State
    keeper : Keeper
    total : int
        Steps of the whole run.
    check : callable
        Raises a `TrainingError` if a loss since the last entry of the history is not finite.
    progress : bool
    """

    def __init__(self, state, keeper, total, check, progress):
        self.state = state
        self.keeper = keeper
        self.total = total
        self.check = check
        self.alone = state.fabric.world_size == 1
        self.bar = Bar(total, state.done, progress and state.fabric.is_global_zero)
        self.asked = False
        self.before = None  # what Ctrl-C did

    def __enter__(self):
        if self.alone and threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind, *_):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        self.bar.close()
        if kind is not None and issubclass(kind, TrainingError):
            self.state.restore()
        if kind is not None:
            self.keeper.leave()

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def step(self):
        """Note that a step is done: the moment to stop, or to keep the state."""
        self.bar.step()
        if self.asked:
            self._stop()
        if self.alone and self.keeper.due():
            self.keep()

    def _stop(self):
        path = self.keeper.path
        if self.keep():
            then = f"it is kept in {short(path)}: run the same call again to go on"
        elif path:
            then = "the network has the weights of that step, but they could not be kept"
        else:
            then = "the network has the weights of that step: pass checkpoint= to be able to go on"
        step = self.state.done
        raise TrainingInterrupted(f"training was stopped after step {step} of {self.total}; {then}")

    def entry(self, finished):
        """Note that the history has an entry more, and so that all before was good."""
        self.bar.entry(self.state.history)
        if finished or self.keeper.due():
            self.keep()

    def leave(self):
        """Note that all is done, and stop at a Ctrl-C that came after the last step."""
        self.keeper.leave()
        if self.asked:
            raise TrainingInterrupted(
                "training was stopped just after it was finished; nothing is lost"
            )

    def keep(self):
        """Write a checkpoint, unless something is not finite; return whether it was written."""
        self.check()
        if not self.keeper.path or not finite_weights(self.state.networks.values()):
            return False
        return self.keeper.save(self.state.state_dict)
