"""helpers.datasets: downloads from a server of our own, search path, cache, command line."""

import bz2
import errno
import gzip
import hashlib
import io
import logging
import lzma
import os
import re
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pooch
import pytest

from helpers.datasets import __main__, cache, download, files, places, registry
from helpers.datasets.files import DataError

CONTENT = np.random.default_rng(1).bytes(400_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.content`` under any name, in the way that ``server.way`` tells."""

    def do_GET(self):
        served, ranged = self.server, self.headers.get("Range")
        served.ranges.append(ranged)
        assert self.headers["Accept-Encoding"] == "identity", (
            "compressed on the way, lengths mean nothing"
        )
        if served.way.missing:
            return self.send_error(404)
        start = int(re.fullmatch(r"bytes=(\d+)-", ranged)[1]) if ranged and served.way.ranges else 0
        total, body = len(served.content), served.content[start:]
        if start >= total > 0:
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", served.way.type)
        if served.way.length:
            self.send_header("Content-Length", str(len(body)))
        if served.way.encoding:
            self.send_header("Content-Encoding", served.way.encoding)
        if served.way.etag:
            self.send_header("ETag", served.way.etag)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start + served.way.shift}-{total - 1}/{total}"
            )
        self.end_headers()
        body = body[: served.way.cut]
        with suppress(ConnectionError):  # who asked has gone
            for piece in served.way.pieces(body):
                self.wfile.write(piece)
        served.sent.append(len(body))

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.ranges, server.sent = CONTENT, [], []
    server.way = SimpleNamespace(
        missing=False,
        ranges=True,
        shift=0,
        cut=None,
        length=True,
        type="binary/octet-stream",
        encoding=None,
        etag=None,
        pieces=lambda body: [body],
    )
    server.url = f"http://127.0.0.1:{server.server_port}/rings.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """A checkout with an empty data folder, and no HACK_DATA."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.delenv("HACK_DATA", raising=False)
    return tmp_path / "data"


@pytest.fixture
def entry(monkeypatch):
    """Put one data set into the registry, of the files given."""

    def put(*files, **keys):
        known = {"rings": {"hack": "06", "how": "Ask the school.", "files": list(files), **keys}}
        for room in (download, __main__):
            monkeypatch.setattr(
                room, "registry", lambda name=None: known if name is None else known[name]
            )

    return put


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# --- downloads


def test_whole_download(server, entry, data):
    entry({"name": "rings.bin", "url": server.url, "size": len(CONTENT), "sha256": SUM})
    assert download.fetch("rings") == [data / "rings.bin"]
    assert (data / "rings.bin").read_bytes() == CONTENT
    assert names(data) == ["rings.bin"]
    download.fetch("rings")
    assert server.ranges == [None], "a file that is here and right must not be downloaded again"
    assert not pooch.get_logger().isEnabledFor(logging.INFO), (
        "its messages name folders of this machine"
    )


def test_download_into_a_folder_that_is_named(server, entry, tmp_path, data):
    entry({"name": "sub/rings.bin", "url": server.url})
    assert download.fetch("rings", tmp_path / "drive") == [tmp_path / "drive" / "sub" / "rings.bin"]
    assert (tmp_path / "drive" / "sub" / "rings.bin").read_bytes() == CONTENT
    assert names(data) == []


def test_truncated_download_is_refused_and_resumed(server, entry, data):
    entry({"name": "rings.bin", "url": server.url})
    server.way.cut = 300_000
    with pytest.raises(
        DataError, match=r"rings\.bin: only \d+ of 400000 bytes came.* run the same fetch"
    ):
        download.fetch("rings")
    kept = (data / "rings.bin.part").stat().st_size
    assert 200_000 < kept <= 300_000
    assert not (data / "rings.bin").exists()
    server.way.cut = None
    download.fetch("rings")
    assert server.ranges == [None, f"bytes={kept}-"]
    assert server.sent[-1] == len(CONTENT) - kept
    assert (data / "rings.bin").read_bytes() == CONTENT
    assert names(data) == ["rings.bin", "rings.bin.sha256"]


def test_server_that_ignores_the_range_sends_the_whole(server, entry, data):
    entry({"name": "rings.bin", "url": server.url})
    server.way.cut, server.way.ranges = 300_000, False
    with pytest.raises(DataError):
        download.fetch("rings")
    server.way.cut = None
    download.fetch("rings")
    assert server.ranges[-1].startswith("bytes=") and server.sent[-1] == len(CONTENT)
    assert (data / "rings.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "change", ["longer", "shorter than the part", "same length", "another range"]
)
def test_file_that_changes_between_two_attempts_is_not_patched_together(
    server, entry, data, change
):
    entry({"name": "rings.bin", "url": server.url})
    server.way.cut, server.way.etag = 300_000, '"first"'
    with pytest.raises(DataError):
        download.fetch("rings")
    size = {"longer": 500_000, "shorter than the part": 100_000}.get(change, 400_000)
    server.content = other = np.random.default_rng(2).bytes(size)
    server.way.cut, server.way.etag = None, '"second"' if change == "same length" else '"first"'
    server.way.shift = 1 if change == "another range" else 0
    with pytest.raises(DataError, match="has changed since the download began: fetch again"):
        download.fetch("rings")
    assert not (data / "rings.bin").exists()
    download.fetch("rings")
    assert (data / "rings.bin").read_bytes() == other


def test_wrong_checksum(server, entry, data):
    entry({"name": "rings.bin", "url": server.url, "sha256": "0" * 64})
    with pytest.raises(
        DataError, match=f"expected 0{{64}} but got {SUM}; the download is deleted: fetch it"
    ):
        download.fetch("rings")
    assert names(data) == []


@pytest.mark.parametrize("known", ["registry", "pinned"])
def test_file_that_is_here_is_never_replaced(server, entry, data, known):
    (data / "rings.bin").write_bytes(b"put here by the participant")
    in_registry = known == "registry"
    entry({"name": "rings.bin", "url": server.url} | ({"sha256": SUM} if in_registry else {}))
    if not in_registry:
        (data / "rings.bin.sha256").write_text(f"{SUM}  rings.bin\n", encoding="utf-8")
    found = hashlib.sha256(b"put here by the participant").hexdigest()
    message = f"expected data/rings.bin with the SHA-256 {SUM}, found {found}; it is left as it is: move or"
    with pytest.raises(DataError, match=message) as raised:
        download.fetch("rings")
    assert ("delete the .sha256 file" in str(raised.value)) is not in_registry
    assert (
        data / "rings.bin"
    ).read_bytes() == b"put here by the participant" and server.ranges == []


def test_second_fetch_waits_for_the_first(server, entry, data, monkeypatch):
    """The server stops halfway until the second one says that it waits."""
    entry({"name": "rings.bin", "url": server.url})
    begun, waits, told, first = threading.Event(), threading.Event(), [], []

    def halves(body):
        yield body[:200_000]
        begun.set()
        waits.wait(30)
        yield body[200_000:]

    def say(text):
        told.append(text)
        waits.set()

    server.way.pieces = halves
    monkeypatch.setattr(download, "print", say, raising=False)
    thread = threading.Thread(target=lambda: first.append(download.fetch("rings")))
    thread.start()
    assert begun.wait(60)
    assert download.fetch("rings") == [data / "rings.bin"]
    thread.join()
    assert first == [[data / "rings.bin"]] and len(server.ranges) == 1
    assert told == ["rings.bin: another process is fetching it; waiting for it"]
    assert names(data) == ["rings.bin", "rings.bin.sha256"]


def test_lock_of_a_fetch_that_was_killed_locks_nothing(server, entry, data):
    (data / "rings.bin.lock").touch()
    entry({"name": "rings.bin", "url": server.url})
    download.fetch("rings")
    assert names(data) == ["rings.bin", "rings.bin.sha256"]


def test_file_system_without_locks(server, entry, data, monkeypatch):
    def no_locks(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.FileLock, "acquire", no_locks)
    entry({"name": "rings.bin", "url": server.url})
    download.fetch("rings")
    assert (data / "rings.bin").read_bytes() == CONTENT


def test_sum_is_pinned_at_the_first_download(server, entry, data):
    entry({"name": "rings.bin", "url": server.url})
    download.fetch("rings")
    assert (data / "rings.bin.sha256").read_text(encoding="utf-8") == f"{SUM}  rings.bin\n"
    (data / "rings.bin").unlink()
    server.content = CONTENT[::-1]
    with pytest.raises(
        DataError, match=rf"expected {SUM} but got .*to accept it, delete the \.sha256 file"
    ):
        download.fetch("rings")
    assert names(data) == ["rings.bin.sha256"]
    (data / "rings.bin.sha256").unlink()
    download.fetch("rings")
    assert (data / "rings.bin").read_bytes() == CONTENT[::-1]


def test_size_other_than_in_the_registry(server, entry, data):
    entry({"name": "rings.bin", "url": server.url, "size": 17, "sha256": SUM})
    with pytest.raises(DataError, match="offers 400000 bytes instead of 17"):
        download.fetch("rings")
    assert names(data) == []


def test_length_that_is_not_told(server, entry, data):
    server.way.length = False
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(DataError, match="does not say how long"):
        download.fetch("rings")
    entry({"name": "rings.bin", "url": server.url, "size": len(CONTENT), "sha256": SUM})
    download.fetch("rings")
    assert names(data) == ["rings.bin"]


def test_no_more_is_written_than_was_announced(server, entry, data):
    server.way.length = False
    server.content = CONTENT + CONTENT
    entry({"name": "rings.bin", "url": server.url, "size": len(CONTENT), "sha256": SUM})
    download.fetch("rings")
    assert (data / "rings.bin").read_bytes() == CONTENT


def test_compressed_on_the_way_a_length_means_nothing(server, entry, data):
    server.content, server.way.encoding = gzip.compress(bytes(10**6)), "gzip"
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(DataError, match=r"rings\.bin: http.* sent the file compressed \(gzip\)"):
        download.fetch("rings")
    assert names(data) == []


def test_server_that_falls_silent(server, entry, data, monkeypatch):
    monkeypatch.setattr(files, "TIMEOUT", (10, 1))
    ended = threading.Event()

    def half(body):
        yield body[:200_000]
        ended.wait(20)

    server.way.pieces = half
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(
        DataError, match=r"only \d+ of 400000 bytes came, and are kept: run the same"
    ):
        download.fetch("rings")
    ended.set()
    assert names(data) == ["rings.bin.part", "rings.bin.part.of"]


def test_server_that_sends_a_byte_now_and_then(server, entry, data, monkeypatch):
    """After a while it would send the rest: without a limit the fetch succeeds."""
    monkeypatch.setattr(files, "PATIENCE", 0.1)

    def byte_by_byte(body):
        for i in range(250):
            time.sleep(0.02)
            yield body[i : i + 1]
        yield body[250:]

    server.way.pieces = byte_by_byte
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(
        DataError, match=r"only \d+ of 400000 bytes came, and are kept: run the same"
    ):
        download.fetch("rings")


@pytest.mark.parametrize("text", ["", "\n", "abc", f"{'g' * 64}  rings.bin"])
def test_sha256_file_without_a_sum(server, entry, data, text):
    (data / "rings.bin.sha256").write_text(text, encoding="utf-8")
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(
        DataError, match=r"expected a SHA-256 in data/rings\.bin\.sha256, found .*: delete it"
    ):
        download.fetch("rings")
    assert names(data) == ["rings.bin.sha256"] and server.ranges == []


def test_web_page_in_place_of_the_file(server, entry, data):
    server.way.type = "text/html; charset=utf-8"
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(DataError, match="sent a web page and not the file"):
        download.fetch("rings")
    assert names(data) == []


def test_http_error(server, entry, data):
    server.way.missing = True
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(
        DataError, match=rf"{server.url} answered 404 Not Found; .* put it into data/"
    ):
        download.fetch("rings")
    assert names(data) == []


def test_server_gone(server, entry, data):
    server.shutdown()
    server.server_close()
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(
        DataError, match=r"rings\.bin: no connection to .*look to your network"
    ) as raised:
        download.fetch("rings")
    assert raised.value.__suppress_context__, "no traceback of requests"
    assert names(data) == []


def test_folder_that_cannot_be_written_to(server, entry, tmp_path):
    entry({"name": "rings.bin", "url": server.url})
    (tmp_path / "file").write_text("in the way, also of root", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(
            DataError, match=r"rings\.bin: .*file.*/ cannot be written to .* set HACK_DATA"
        ):
            download.fetch("rings", folder)
    assert server.ranges == []


def test_disk_full(server, entry, data, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    entry({"name": "rings.bin", "url": server.url})
    with pytest.raises(DataError, match=r"rings\.bin: data/ is full: make room"):
        download.fetch("rings")
    assert not (data / "rings.bin").exists()


def test_no_public_address(entry, data):
    entry({"name": "rings.bin"})
    with pytest.raises(
        DataError, match=r"rings: rings\.bin has no public address\. Ask the school\."
    ):
        download.fetch("rings")
    (data / "rings.bin").write_bytes(b"")
    assert download.fetch("rings") == [data / "rings.bin"]


def test_unknown_name():
    with pytest.raises(
        DataError, match=r"no data set 'rigns'; the known ones are .*camels_params.*rings"
    ):
        registry.registry("rigns")


def tar(*members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_archive_gives_only_the_file_that_is_asked_for(server, entry, data, tmp_path):
    server.content = tar(
        ("../../evil.txt", b"evil"), ("../../deep/rings.cat", b"1 2 3"), ("/evil", b"")
    )
    entry({"name": "rings.cat", "archive": "rings.tar", "url": server.url})
    assert download.fetch("rings") == [data / "rings.cat"]
    assert (data / "rings.cat").read_bytes() == b"1 2 3"
    assert names(data) == ["rings.cat", "rings.tar", "rings.tar.sha256"]
    assert names(tmp_path) == ["data"]
    (data / "rings.tar").unlink()
    download.fetch("rings")
    assert len(server.ranges) == 1, "the file is here: its archive is not needed again"


@pytest.mark.parametrize(
    "content", [b"no tar", tar(("other.cat", b"")), tar(("rings.cat", CONTENT))[:2000]]
)
def test_archive_without_the_file(server, entry, data, content):
    server.content = content
    entry({"name": "rings.cat", "archive": "rings.tar", "url": server.url})
    with pytest.raises(
        DataError, match=r"data/rings\.tar is not a whole tar archive with rings\.cat in it"
    ):
        download.fetch("rings")
    assert not (data / "rings.cat").exists()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("place", ["middle", "sum"])
def test_damaged_compressed_archive(server, entry, data, kind, place):
    """A flipped bit in the middle, or in the sum at the end, which lies behind the file that is wanted."""
    compress = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind]
    packed = bytearray(compress(tar(("rings.cat", CONTENT[:20_000]), ("other.cat", CONTENT))))
    packed[
        {"middle": len(packed) // 2, "sum": len(packed) - (6 if kind == "gz" else 16)}[place]
    ] ^= 1
    server.content = bytes(packed)
    entry({"name": "rings.cat", "archive": "rings.tar", "url": server.url})
    with pytest.raises(
        DataError, match=r"data/rings\.tar is not a whole tar archive with rings\.cat in it"
    ):
        download.fetch("rings")
    assert names(data) == ["rings.tar", "rings.tar.sha256"]


def test_disk_full_while_extracting(server, entry, data, monkeypatch):
    server.content = tar(("rings.cat", b"1 2 3"))
    entry({"name": "rings.cat", "archive": "rings.tar", "url": server.url})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.shutil, "copyfileobj", full)
    with pytest.raises(DataError, match=r"rings\.cat: data/ is full: make room"):
        download.fetch("rings")


# --- the search path


def test_search_path_order(data, tmp_path, monkeypatch):
    assert places.search_path() == [data]
    one, two = tmp_path / "one", tmp_path / "two"
    monkeypatch.setenv("HACK_DATA", os.pathsep.join(map(str, (one, two, data))))
    assert places.search_path() == [one, two, data]
    (data / "rings.bin").write_text("", encoding="utf-8")
    assert places.find("rings.bin") == data / "rings.bin"
    two.mkdir()
    (two / "rings.bin").mkdir()
    assert places.find("rings.bin") == two / "rings.bin"
    assert places.find("other.bin") is None


def test_without_a_checkout_data_lie_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "CHECKOUT", None)
    monkeypatch.chdir(tmp_path)
    assert places.search_path() == [tmp_path / "data"]


def test_data_folder_is_one_that_can_be_written_to(data, tmp_path, monkeypatch):
    drive, scratch = tmp_path / "drive", tmp_path / "scratch"
    monkeypatch.setenv("HACK_DATA", f"{drive}{os.pathsep}{scratch}")
    assert places.data_folder() == data, "a drive that is not mounted must not be made"
    drive.mkdir()
    scratch.mkdir()
    assert places.data_folder() == drive
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != drive)
    assert places.data_folder() == scratch
    scratch.rmdir()
    scratch.write_text("a file is no folder", encoding="utf-8")
    assert places.data_folder() == data


def test_read_only_drive_is_read_and_not_written(server, entry, data, tmp_path, monkeypatch):
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "here.bin").write_bytes(CONTENT)
    monkeypatch.setenv("HACK_DATA", str(drive))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != drive)
    entry({"name": "here.bin", "url": server.url}, {"name": "not_here.bin", "url": server.url})
    assert download.fetch("rings") == [drive / "here.bin", data / "not_here.bin"]
    assert names(drive) == ["here.bin"]
    assert len(server.ranges) == 1


def test_short_names_no_folder_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HACK_DATA", str(tmp_path.parent / "drive"))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert places.short("figure.png") == "figure.png"
    assert places.short(tmp_path / "data" / "rings.bin") == str(Path("data/rings.bin"))
    assert places.short(tmp_path.parent / "drive" / "rings.bin") == str(Path("HACK_DATA/rings.bin"))
    assert places.short("/a/b/c/rings.bin") == str(Path(".../c/rings.bin"))
    monkeypatch.setattr(places, "CHECKOUT", None)
    assert places.short(tmp_path / "home" / "rings.bin") == str(Path("~/rings.bin"))


def test_choose(data, capsys):
    registry._say_once.cache_clear()
    assert registry.choose("auto", None, "rings") == "mock"
    expected = "rings: mock data, simulated on this machine (real data: not found under data/)\n"
    assert capsys.readouterr().out == expected
    with pytest.raises(DataError, match="rings: real data not found under data/; get them as"):
        registry.choose("real", None, "rings")
    with pytest.raises(DataError, match=re.escape(f"not found at {Path('data/rings.bin')}")):
        registry.choose("real", data / "rings.bin", "rings")
    (data / "rings.bin").write_text("", encoding="utf-8")
    for source, chosen in (("auto", "real"), ("real", "real"), ("mock", "mock")):
        assert registry.choose(source, places.find("rings.bin"), "rings") == chosen
    told = capsys.readouterr().out.splitlines()  # the same line only once
    assert told[0] == f"rings: real data, {Path('data/rings.bin')}"
    assert told[1:] == ['rings: mock data, simulated on this machine (source="mock")']
    with pytest.raises(ValueError, match="'reel'"):
        registry.choose("reel", None, "rings")


# --- whole files and the cache


def test_atomic_path(tmp_path):
    path = tmp_path / "new" / "scores.json"
    with files.atomic_path(path) as temporary:
        temporary.write_text("1", encoding="utf-8")
        assert temporary.suffix == ".json" and temporary.parent == path.parent and not path.exists()
    assert path.read_text(encoding="utf-8") == "1" and names(path.parent) == ["scores.json"]
    with pytest.raises(KeyboardInterrupt), files.atomic_path(path) as temporary:
        temporary.write_text("2", encoding="utf-8")
        raise KeyboardInterrupt
    assert path.read_text(encoding="utf-8") == "1" and names(path.parent) == ["scores.json"]
    with path.open(encoding="utf-8") as reader:
        with files.atomic_path(path) as temporary:
            temporary.write_text("3", encoding="utf-8")
        assert reader.read() == "1", "who reads meanwhile must see the old file or the new one"
    assert path.read_text(encoding="utf-8") == "3"


class Simulator:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {
            "images": np.arange(20_000.0) * self.calls,
            "file": np.array(["a", "b"]),
            "settings": 3,
        }


def test_cache_is_made_once_for_the_same_settings(data, capsys):
    make = Simulator()
    first = cache.cached("rings", {"seed": 1, "n": [2, 3]}, 1, make)
    again = cache.cached("rings", {"n": (2, 3), "seed": 1}, 1, make)
    assert make.calls == 1 and first.keys() == again.keys() == make().keys()
    for label in first:
        np.testing.assert_array_equal(first[label], again[label])
        assert first[label].dtype == again[label].dtype
    assert len(names(data / "cache")) == 1 and capsys.readouterr().out == ""
    make.calls = 1
    cache.cached("rings", {"seed": 2, "n": [2, 3]}, 1, make)
    cache.cached("rings", {"seed": 1, "n": [2, 3]}, 2, make)
    cache.cached("galaxies", {"seed": 1, "n": [2, 3]}, 1, make)
    assert make.calls == 4 and len(names(data / "cache")) == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "bit", "pickle", "other settings"])
def test_damaged_cache_is_made_again(data, capsys, damage):
    make = Simulator()
    cache.cached("rings", {"seed": 1}, 1, make)
    path = next((data / "cache").iterdir())
    whole = path.read_bytes()
    if damage == "pickle":
        with np.load(path) as stored:
            settings = stored["settings"]
        np.savez(path, settings=settings, **{"data/images": np.array([{}], dtype=object)})
    elif damage == "other settings":
        cache.cached("rings", {"seed": 2}, 1, make)
        make.calls = 1
        os.replace(next(other for other in path.parent.iterdir() if other != path), path)
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"empty": b"", "cut": whole[:middle], "bit": flipped}[damage])
    capsys.readouterr()
    remade = cache.cached("rings", {"seed": 1}, 1, make)
    assert make.calls == 2 and remade["images"][1] == 2.0
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "cannot be used" in told and "made again" in told
    cache.cached("rings", {"seed": 1}, 1, make)
    assert make.calls == 2


def test_failure_in_the_simulator_leaves_nothing(data):
    with pytest.raises(ZeroDivisionError):
        cache.cached("rings", {}, 1, lambda: 1 / 0)
    assert names(data) == []
    with pytest.raises(TypeError, match="without pickle"):
        cache.cached("rings", {}, 1, lambda: {"labels": [{}, None]})
    assert names(data) == []


def test_interrupted_write_leaves_nothing(data, monkeypatch):
    def interrupted(file, **_):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.cached("rings", {}, 1, Simulator())
    assert names(data / "cache") == []


def test_cache_that_cannot_be_kept(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way, also of root", encoding="utf-8")
    make = Simulator()
    arrays = cache.cached("rings", {}, 1, make, folder=tmp_path / "file" / "cache")
    assert make.calls == 1 and arrays["images"].shape == (20_000,)
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "rings: not kept for the next time" in told


def test_two_at_once(data):
    """Both find no file, both write: either result is whole, and nothing else is left."""
    both = threading.Barrier(2, timeout=60)

    def make():
        both.wait()
        return {"images": np.arange(20_000.0)}

    threads = [threading.Thread(target=cache.cached, args=("rings", {}, 1, make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(data / "cache")) == 1
    never = Simulator()
    np.testing.assert_array_equal(
        cache.cached("rings", {}, 1, never)["images"], np.arange(20_000.0)
    )
    assert never.calls == 0


# --- the registry and the command line


def test_registry_has_every_hack_and_no_name_twice():
    known = registry.registry()
    hacks = {hack for entry in known.values() for hack in entry["hack"].split(", ")}
    assert hacks == {f"0{n}" for n in range(1, 8)}
    files = [file["name"] for entry in known.values() for file in entry["files"]]
    assert len(files) == len(set(files))


@pytest.mark.parametrize("name", registry.registry())
def test_registry_is_well_formed(name):
    entry = registry.registry(name)
    assert all(entry[key].strip() for key in ("description", "licence", "access", "citation"))
    assert entry["files"] and not re.search("/home/|/root/|/Users/", str(entry))
    for file in entry["files"]:
        assert set(file) <= {"name", "url", "size", "sha256", "archive"}
        assert not Path(file["name"]).is_absolute() and ".." not in file["name"]
        assert file["url"].startswith("https://") if "url" in file else entry["how"].strip()
        assert re.fullmatch("[0-9a-f]{64}", file.get("sha256", "0" * 64))
        assert "sha256" in file or "size" not in file, "a size alone checks nothing"


def test_list(entry, data, capsys):
    entry({"name": "rings.bin"}, about="7 GB")
    assert __main__.main(["list"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert re.split("  +", row) == ["rings", "06", "7 GB", "no", "Ask the school."]
    entry({"name": "rings.bin", "url": "https://example.org", "size": 48_000})
    (data / "rings.bin").write_text("", encoding="utf-8")
    assert __main__.main(["list"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert re.split("  +", row) == ["rings", "06", "48.0kB", "yes", "fetch rings"]


def test_where(entry, data, capsys):
    entry({"name": "rings.bin"}, {"name": "labels.txt"})
    (data / "rings.bin").write_text("", encoding="utf-8")
    assert __main__.main(["where", "rings"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err == "rings: labels.txt not found under data/\n"
    (data / "labels.txt").write_text("", encoding="utf-8")
    assert __main__.main(["where", "rings"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(data / "rings.bin"),
        str(data / "labels.txt"),
    ]


def test_fetch_on_the_command_line(server, entry, capsys, monkeypatch):
    entry({"name": "rings.bin", "url": server.url})
    assert __main__.main(["fetch", "rings"]) == 0
    assert capsys.readouterr().out == f"{Path('data/rings.bin')}\n"

    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "fetch", stopped)
    assert __main__.main(["fetch", "rings"]) == 1
    assert capsys.readouterr().err.startswith("stopped: run the same command again")


def test_error_on_the_command_line_is_one_line():
    command = [sys.executable, "-m", "helpers.datasets", "fetch", "rigns"]
    ended = subprocess.run(
        command, capture_output=True, encoding="utf-8", cwd=places.PACKAGE.parent, timeout=60
    )
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.startswith("no data set 'rigns'") and ended.stderr.count("\n") == 1
