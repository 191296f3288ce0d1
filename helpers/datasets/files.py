"""Files that are whole or not there: written at once, by one process at a time."""

import os
import re
import secrets
import shutil
import tarfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
import urllib3
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

TIMEOUT = (10, 60)  # seconds to connect, seconds of silence
PATIENCE = 60  # seconds, in which a download must bring
LEAST = 60 * 1024  # so many bytes
PIECE = 1 << 16  # bytes
PARTIAL = 206  # what a server answers when it sends the part that it was asked for,
BEYOND_ITS_END = 416  # and when the file is shorter than that
SPAN = re.compile(r"bytes (\d+)-\d+/(\d+)")


class DataError(RuntimeError):
    """Data that are not there, not whole or not as expected: one sentence, with what to do."""


@contextmanager
def atomic_path(path):
    """Write a file so that it appears under its name only when it is whole.

    Yields a Path beside `path`, of the same suffix, to write to: moved onto `path` if the block
    succeeds, removed if it does not. The folder is made where there is none.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(_temporary(path, secrets.token_hex(4)))
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path, mark):
    return f".{path.stem}-{mark}{path.suffix}"


def unfinished(path):
    """Return what killed processes have left of `path`, which they wrote by `atomic_path`.

    Parameters
    ----------
    path : pathlib.Path
        Its name may hold the wildcards of `pathlib.Path.glob`.

    Returns
    -------
    list of pathlib.Path
    """
    return [*path.parent.glob(_temporary(path, "?" * 8))]


@contextmanager
def alone(path, busy):
    """Make a file while no other process or thread makes it.

    The lock is ``<path>.lock``, which goes when the block ends; one that a killed process has left
    locks nothing. Where a file system knows no locks, each works for itself.

    Parameters
    ----------
    path : path
    busy : callable
        Called without arguments if another is at it: to wait for its end, return; not to wait,
        raise.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        # No locks here, or a folder that cannot be written to, which the block will find out.
        with suppress(OSError, NotImplementedError):
            _acquire(lock, busy)
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):  # Windows: goes by itself
                os.unlink(lock.lock_file)
        lock.release()


def _acquire(lock, busy):
    try:
        lock.acquire(timeout=0)
    except Timeout:
        busy()
        lock.acquire()


def stream(url, output_file, _pooch, *, part, size):
    """Download for pooch: show progress, go on from `part`, give `output_file` a whole file only.

    Parameters
    ----------
    url, output_file : str
    part : pathlib.Path
        Where to keep what came; beside it, ``<part>.of`` says which file it is a part of.
    size : int or None
        In bytes, if it is known beforehand.

    Raises
    ------
    DataError
        If something else comes than was announced, or less: what came is kept then.
    requests.RequestException
        If the server is not there, or refuses.
    """
    name = part.stem
    note = part.with_name(f"{part.name}.of")
    start = part.stat().st_size if part.exists() and note.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        resumed = start > 0 and answer.status_code == PARTIAL
        first, total = _span(answer.headers) if resumed else (0, None)
        total = total or int(answer.headers.get("Content-Length") or size or 0)
        identity = f"{total} {answer.headers.get('ETag') or answer.headers.get('Last-Modified')}"
        other = resumed and (first != start or identity != note.read_text(encoding="utf-8"))
        shorter = start > 0 and answer.status_code == BEYOND_ITS_END
        if other or shorter:
            part.unlink()
            remedy = "fetch again, from zero."
            raise DataError(f"{name}: {url} has changed since the download began: {remedy}")
        answer.raise_for_status()
        problem = _wrong(answer.headers, total, size)
        if problem:
            raise DataError(f"{name}: {url} {problem}: look there what is the matter.")
        with part.open("rb+" if resumed else "wb") as out:
            note.write_text(identity, encoding="utf-8")
            out.seek(first)
            done = _receive(answer.raw, out, total, name)
    if done != total:
        kept = f"only {done} of {total} bytes came, and are kept"
        raise DataError(f"{name}: {kept}: run the same fetch again.")
    os.replace(part, output_file)
    note.unlink()


def _span(headers):
    """Where the part that a server sends begins, and the length of the whole; None if untold."""
    span = SPAN.fullmatch(headers.get("Content-Range", ""))
    return (int(span[1]), int(span[2])) if span else (None, None)


def _receive(raw, out, total, name):
    """Write what comes to a file, up to its whole length; return the length that is there then."""
    bar = tqdm(desc=name, total=total, initial=out.tell(), unit="B", unit_scale=True)
    # the length says whether all came
    with bar, suppress(urllib3.exceptions.HTTPError):
        for piece in _pieces(raw, total - out.tell()):
            bar.update(out.write(piece))
    done = out.tell()
    out.flush()
    os.fsync(out.fileno())
    return done


def _wrong(headers, total, size):
    """What a server announces that is not the file; None if nothing is wrong."""
    encoding = headers.get("Content-Encoding", "identity")
    if "text/html" in headers.get("Content-Type", ""):
        return "sent a web page and not the file"
    if encoding != "identity":  # lengths would then mean nothing
        return f"sent the file compressed ({encoding}) although it was asked not to"
    if not total:
        return "does not say how long it is"
    if size not in (None, total):
        return f"offers {total} bytes instead of {size}"
    return None


def _pieces(raw, left):
    """Yield what comes as it comes, `left` bytes at most; end early where it comes too slowly."""
    since = time.monotonic()
    came = 0
    while left and (piece := raw.read1(min(PIECE, left), decode_content=False)):
        yield piece
        left -= len(piece)
        came += len(piece)
        if time.monotonic() - since > PATIENCE:
            if came < LEAST:
                return
            since = time.monotonic()
            came = 0


def extract(archive, target):
    """Take one file out of a tar archive by its own name, whatever folder the archive puts it in.

    Parameters
    ----------
    archive, target : pathlib.Path

    Raises
    ------
    tarfile.ReadError
        If the archive is damaged anywhere, or has no such file.
    """
    try:
        with tarfile.open(archive) as tar:
            files = (member for member in tar if member.isreg())
            member = next(file for file in files if Path(file.name).name == target.name)
            with atomic_path(target) as temporary, temporary.open("wb") as out:
                shutil.copyfileobj(tar.extractfile(member), out)
                while tar.fileobj.read(PIECE):  # gzip, bzip2 and xz have their sums at the end
                    pass
    except Exception as error:  # each compression raises its own
        if isinstance(error, OSError) and error.errno:
            raise  # the disk, not the archive
        raise tarfile.ReadError(f"no whole archive with {target.name} in it") from error
