"""Checkpoints: the whole state of a training run in one file, written atomically, trusted only if it fits."""

import hashlib
import io
import os
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from helpers.datasets.files import atomic_path
from helpers.datasets.places import short
from helpers.training.fingerprints import fingerprint, weights_of

SHARE, SECONDS = (
    100,
    1.0,
)  # a checkpoint is kept after so many times what the last one cost, and so many seconds
INITIAL = "initial weights"
HINTS = {INITIAL: "for the same ones, seed before the network is made"}
_runs = WeakKeyDictionary()  # of a network, by file: its training when it began, and when it ended


def save(path, state):
    """Write a training state to `path`; the file there is always a whole one."""
    whole = io.BytesIO()
    torch.save(state, whole)
    with atomic_path(path) as part:
        part.write_bytes(whole.getbuffer())


def read(path):
    """Read what `save` wrote; nothing in the file is executed.

    Raises
    ------
    FileNotFoundError
    Exception
        Of whatever kind, if the file is no checkpoint or a bit of it has changed.
    """
    with path.open("rb") as file:
        damaged = zipfile.ZipFile(file).testzip()  # torch.load does not look at the checksums
        if damaged:
            raise zipfile.BadZipFile(damaged)
        file.seek(0)
        return torch.load(file, map_location="cpu", weights_only=True)


def load(path, expected, otherwise="training starts anew"):
    """Read a training state if there is one and it belongs to this run.

    Parameters
    ----------
    path : pathlib.Path
        What lies there but is of no use for this run is moved aside, to ``NAME-before.pt``.
    expected : dict
        What the run belongs to.
    otherwise : str
        What happens where the file is of no use.

    Returns
    -------
    dict or None
        None where there is no checkpoint, or where it belongs to something else; that is said in one line.
    """
    try:
        saved = read(path)
        wrong = _differences(saved["fingerprint"], expected)
    except FileNotFoundError:
        return None
    except Exception as error:
        wrong = f"cannot be read, or is damaged ({type(error).__name__})"
    if not wrong:
        return saved
    before = path.with_name(f"{path.stem}-before{path.suffix}")
    try:
        os.replace(path, before)
        kept = f"is kept as {before.name}"
    except OSError as error:
        why = f"it cannot be moved ({error.strerror})"
        kept = f"stays where it is and is not written over, since {why}"
    print(f"checkpoint {short(path)} {wrong}: {otherwise}, and it {kept}")
    return None


def _differences(found, expected):
    names = [name for name in expected if found.get(name) != expected[name]]
    named = [_difference(name, found.get(name), expected[name]) for name in names]
    return f"belongs to another training, by its {', '.join(named)}" if named else ""


def _difference(name, found, expected):
    if name in HINTS:
        return f"{name} ({HINTS[name]})"
    readable = found is not None and len(found) < 40 and len(expected) < 40
    return f"{name} ({found}, now {expected})" if readable else name


class Keeper:
    """Keeps the state of a run on disk, at moments far enough apart to cost next to nothing.

    Parameters
    ----------
    path : path or None
        Of the checkpoint; nothing is kept where it is None.
    networks, data, settings
        What it belongs to, as in `fingerprint`.
    fabric : lightning_fabric.Fabric
        Of several processes, the first writes and all read.
    """

    def __init__(self, path, networks, data, settings, fabric):
        self.path = path and Path(path).absolute()
        self.fabric = fabric
        self.networks, self.settings = networks, settings
        self.belongs_to = fingerprint(networks, data, settings) if path else None
        self.cost, self.last, self.failed = 0.0, time.monotonic(), False
        self.blocked = False

    def load(self):
        """Return the state that was kept, or None; called when networks have initial weights."""
        if not self.path:
            return None
        now = self._with_weights(self.belongs_to)
        begun = self._as_it_began(now)
        saved = None
        if self.fabric.is_global_zero:
            for stem in (self.path.stem, f"{self.path.stem}-????????-step-*"):
                for unfinished in self.path.parent.glob(f".{stem}-????????{self.path.suffix}"):
                    with suppress(OSError):
                        unfinished.unlink()  # of a process killed while it wrote
            saved = load(self.path, begun)
            self.blocked = not saved and os.path.exists(self.path)  # by what cannot be moved aside
        saved = self.fabric.broadcast(saved)
        self.belongs_to = begun if saved else now
        self._runs()[self.path] = self.belongs_to, None
        return saved and saved["state"]

    def leave(self):
        """Note how the networks are left, by which the same call, made again, is known."""
        if not self.path:
            return
        data = {"data": self.belongs_to["data"]}  # which nothing has changed
        with suppress(RuntimeError):  # of a GPU that does not answer any more
            left = self._with_weights(fingerprint(self.networks, [], self.settings) | data)
            self._runs()[self.path] = self.belongs_to, left

    def _with_weights(self, entries):
        return entries | {INITIAL: weights_of(self.networks.values())}

    def _as_it_began(self, now):
        """What the run was when it began, if the networks are as it left them; else as now."""
        begun, left = self._runs().get(self.path, (now, now))
        if left is None:  # it was stopped so harshly that there was no time to note it
            return now | {INITIAL: begun[INITIAL]}
        return begun if left == now else now

    def _runs(self):
        return _runs.setdefault(next(iter(self.networks.values())), {})

    def say_finished(self):
        """Say that nothing is left to do."""
        if self.fabric.is_global_zero:
            print(
                f"checkpoint {short(self.path)} holds this very training, finished: its result is "
                "taken over; to train anew, delete that file"
            )

    def due(self):
        """Whether it is time to keep the state; of several processes, the first one's clock counts."""
        due = bool(self.path) and time.monotonic() - self.last > max(SECONDS, SHARE * self.cost)
        return (
            due if self.fabric.world_size == 1 else bool(self.path) and self.fabric.broadcast(due)
        )

    def save(self, make_state):
        """Keep the state that `make_state` gives, and return whether that worked; if not, it is said once."""
        start = time.monotonic()
        written = self._write(self.path, make_state())
        self.last = time.monotonic()
        self.cost = self.last - start
        return written

    def save_snapshot(self, step, weights):
        """Keep the weights of a generator in a file of their own, for as long as the checkpoint counts."""
        self._write(self._snapshot(step), weights)

    def load_snapshots(self, steps):
        """Return the weights that were kept after these steps, by step."""
        without = "the history does without it"
        found = {step: load(self._snapshot(step), self.belongs_to, without) for step in steps}
        return {step: saved["state"] for step, saved in found.items() if saved}

    def _snapshot(self, step):
        whose = hashlib.sha256(repr(self.belongs_to).encode()).hexdigest()[:8]
        return self.path and self.path.with_name(
            f"{self.path.stem}-{whose}-step-{step}{self.path.suffix}"
        )

    def _write(self, path, state):
        if not path or self.blocked or not self.fabric.is_global_zero:
            return False
        try:
            save(path, {"fingerprint": self.belongs_to, "state": state})
            return True
        except OSError as error:
            if not self.failed:
                print(
                    f"checkpoint {short(path)} cannot be written ({error.strerror}): training goes on, and what was "
                    "kept before stays; make room on the disk"
                )
            self.failed = True
            return False
