"""Which cell of the course runs, and how long it will still take."""

import sys
import threading
import time


class Progress:
    """What is still to do, by the seconds that each cell took before, and a line to say so.

    Parameters
    ----------
    expected : dict of str to list of float
        For each hack, in the order in which they run, the seconds of each of its code cells.
    stream : file, optional
        Where to write: a terminal has one line, renewed each second; else one for each tenth.
    """

    def __init__(self, expected, stream=None):
        # Where nothing was measured every cell counts the same, and no time is promised.
        self.expected = {
            k: cells if any(cells) else [1.0] * len(cells) for k, cells in expected.items()
        }
        self.known = all(map(any, expected.values()))
        self.stream = stream or sys.stderr
        self.total = sum(map(sum, self.expected.values()))
        self.done = 0.0
        self.spent = 0.0
        self._now = None
        self._tenth = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)

    def __enter__(self):
        if self.stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self.note("")

    def started(self, name, number, total):
        """Say that code cell `number` of `total` (from 1) of a hack begins."""
        self._now = (name, number, total, time.perf_counter())
        if self.stream.isatty():
            self._show()
        elif number == 1:
            self.note(self.line(self._now))

    def finished(self, name, number, total):
        """Say that this cell has ended."""
        start = self._now[3]
        self._now = None
        self.spent += time.perf_counter() - start
        self.done += self._expected(name, number)
        tenth = int(10 * self.done / self.total) if self.total else 0
        if tenth > self._tenth:
            self._tenth = tenth
            if not self.stream.isatty():
                self.note(f"{name}: {number} of {total} cells, {self._left_in_words(self.left())}")

    def given_up(self, name, number):
        """Take the cells of a failed hack, from `number` on, out of what is left."""
        self.total -= sum(self.expected[name][number - 1 :])
        self._now = None

    def left(self, now=None):
        """Return the seconds left for the course, at the pace that this machine has shown."""
        pace = self.spent / self.done if self.done > 5 else 1.0
        name, number, _, start = now or ("", 0, 0, 0.0)
        running = min(time.perf_counter() - start, pace * self._expected(name, number))
        return max(0.0, pace * (self.total - self.done) - running)

    def line(self, now):
        """Return the line to show while a cell runs."""
        name, number, total, start = now
        minutes, seconds = divmod(int(time.perf_counter() - start), 60)
        still = self._left_in_words(self.left(now))
        return f"{name}: cell {number} of {total}, {minutes}:{seconds:02d}; {still}"

    def note(self, text):
        """Write a line of its own, or with an empty text only clear the moving one."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
        if text:
            self.stream.write(text + "\n")
        self.stream.flush()

    def _left_in_words(self, seconds):
        if not self.known:
            return "time left not known: not every hack was measured"
        about = f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
        return f"about {about} left for all hacks"

    def _expected(self, name, number):
        cells = self.expected.get(name, [])
        return cells[number - 1] if 0 < number <= len(cells) else 0.0

    def _show(self):
        now = self._now
        if now:
            self.stream.write(f"\r\x1b[K{self.line(now)}")
            self.stream.flush()

    def _refresh(self):
        while not self._stop.wait(1.0):
            self._show()
