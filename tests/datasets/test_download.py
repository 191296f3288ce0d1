"""Downloads from a server of our own, which does whatever servers do."""

import bz2
import errno
import gzip
import hashlib
import io
import logging
import lzma
import os
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pooch
import pytest

from helpers.datasets import download, files
from helpers.datasets.files import DataError
from tests.datasets.common import CONTENT, SUM, names


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
    sums = f"expected data/rings.bin with the SHA-256 {SUM}, found {found}"
    message = f"{sums}; it is left as it is: move or"
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
    """A flipped bit in the middle, or in the sum at the end, behind the file that is wanted."""
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
