"""Checkpoints: the whole state of a run in one file, written atomically, trusted if it fits."""

import glob
import hashlib
import io
import os
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from helpers.datasets.files import atomic_path, unfinished
from helpers.datasets.places import short
from helpers.training.fingerprints import fingerprint, weights_of

SHARE = 100  # a checkpoint is kept after so many times what the last one cost,
SECONDS = 1.0  # and after so many seconds
READABLE = 40  # what is as long is a hash, or too long for a line
INITIAL = "initial weights"
WHOSE = 8  # digits of a hash, in the name of a snapshot: of the training that it belongs to
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
        None where there is no checkpoint, or where it belongs to something else; that is said in
        one line.
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
    named = [
        _difference(name, found.get(name), value)
        for name, value in expected.items()
        if found.get(name) != value
    ]
    return f"belongs to another training, by its {', '.join(named)}" if named else ""


def _difference(name, found, expected):
    if name in HINTS:
        return f"{name} ({HINTS[name]})"
    readable = found is not None and max(len(found), len(expected)) < READABLE
    return f"{name} ({found}, now {expected})" if readable else name


class Keeper:
    """Keeps the state of a run on disk, at moments far enough apart to cost next to nothing.

    Parameters
    ----------
    path : path or None
        Of the checkpoint; nothing is kept where it is None.
    networks, data
        What it belongs to, as in `fingerprint`.
    settings : callable
        Gives the settings, as in `fingerprint`, and as they are when it is called: training may
        change what they hold.
    fabric : lightning_fabric.Fabric
        Of several processes, the first writes and all read.
    """

    def __init__(self, path, networks, data, settings, fabric):
        self.path = path and Path(path).absolute()
        self.fabric = fabric
        self.networks = networks
        self.settings = settings
        self.belongs_to = fingerprint(networks, data, settings()) if path else None
        self.cost = 0.0
        self.last = time.monotonic()
        self.failed = False
        self.blocked = False  # by what cannot be moved aside

    def load(self):
        """Return the state that was kept, or None; called when networks have initial weights."""
        if not self.path:
            return None
        now = self._with_weights(self.belongs_to)
        begun = self._as_it_began(now)
        saved = None
        if self.fabric.is_global_zero:
            self._tidy()
            saved = load(self.path, begun)
            self.blocked = not saved and os.path.exists(self.path)
        saved = self.fabric.broadcast(saved)
        self.belongs_to = begun if saved else now
        self._runs()[self.path] = self.belongs_to, None
        return saved and saved["state"]

    def _tidy(self):
        """Delete what a process has left that was killed while it wrote."""
        stem = glob.escape(self.path.stem)
        for name in (stem, _snapshot_stem(stem, "?" * WHOSE, "*")):
            for left in unfinished(self.path.with_stem(name)):
                with suppress(OSError):
                    left.unlink()

    def leave(self):
        """Note how the networks are left, by which the same call, made again, is known."""
        if not self.path:
            return
        data = {"data": self.belongs_to["data"]}  # which nothing has changed
        with suppress(RuntimeError):  # of a GPU that does not answer any more
            now = fingerprint(self.networks, [], self.settings()) | data
            self._runs()[self.path] = self.belongs_to, self._with_weights(now)

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
        """Whether it is time to keep the state; the clock of the first process counts."""
        if not self.path:
            return False
        due = time.monotonic() - self.last > max(SECONDS, SHARE * self.cost)
        return due if self.fabric.world_size == 1 else self.fabric.broadcast(due)

    def save(self, make_state):
        """Keep the state that `make_state` gives, and return whether that worked.

        If not, it is said once.
        """
        start = time.monotonic()
        written = self._write(self.path, make_state())
        self.last = time.monotonic()
        self.cost = self.last - start
        return written

    def save_snapshot(self, step, weights):
        """Keep some weights in a file of their own, for as long as the checkpoint counts."""
        self._write(self._snapshot(step), weights)

    def load_snapshots(self, steps):
        """Return the weights that were kept after these steps, by step."""
        found = {}
        for step in steps:
            without = "the history does without it"
            if saved := load(self._snapshot(step), self.belongs_to, without):
                found[step] = saved["state"]
        return found

    def _snapshot(self, step):
        whose = hashlib.sha256(repr(self.belongs_to).encode()).hexdigest()[:WHOSE]
        return self.path and self.path.with_stem(_snapshot_stem(self.path.stem, whose, step))

    def _write(self, path, state):
        if not path or self.blocked or not self.fabric.is_global_zero:
            return False
        try:
            save(path, {"fingerprint": self.belongs_to, "state": state})
            return True
        except OSError as error:
            if not self.failed:
                print(
                    f"checkpoint {short(path)} cannot be written ({error.strerror}): training goes "
                    "on, and what was kept before stays; make room on the disk"
                )
            self.failed = True
            return False


def _snapshot_stem(stem, whose, step):
    return f"{stem}-{whose}-step-{step}"
