"""An empty data folder for every test, a server of our own, and a data set in the registry."""

import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from helpers.datasets import download, registry
from tests.datasets.common import CONTENT


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.content`` under any name, in the way that ``server.way`` tells."""

    def do_GET(self):
        served = self.server
        way = served.way
        ranged = self.headers.get("Range")
        served.ranges.append(ranged)
        encoding = self.headers["Accept-Encoding"]
        assert encoding == "identity", "compressed on the way, lengths mean nothing"
        if way.missing:
            return self.send_error(404)
        start = 0
        if ranged and way.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", ranged)[1])
        total = len(served.content)
        if start >= total > 0:
            return self.send_error(416)
        body = served.content[start:]
        self.send_response(206 if start else 200)
        for name, value in self.answer(start, total, len(body)).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        body = body[: way.cut]
        with suppress(ConnectionError):  # who asked has gone
            for piece in way.pieces(body):
                self.wfile.write(piece)
        served.sent.append(len(body))

    def answer(self, start, total, length):
        way = self.server.way
        span = f"bytes {start + way.shift}-{total - 1}/{total}"
        return {
            "Content-Type": way.type,
            "Content-Length": str(length) if way.length else None,
            "Content-Encoding": way.encoding,
            "ETag": way.etag,
            "Content-Range": span if start else None,
        }

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def data(data_folder):
    """The empty data folder that every test of this room has."""
    return data_folder


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content = CONTENT
    server.ranges = []
    server.sent = []
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


@pytest.fixture
def entry(monkeypatch):
    """Put one data set into the registry, of the files given."""

    def put(*files, **keys):
        known = {"rings": {"hack": "06", "how": "Ask the school.", "files": list(files), **keys}}

        def instead(name=None):
            return known if name is None else known[name]

        monkeypatch.setattr(download, "registry", instead)
        monkeypatch.setattr(registry, "registry", instead)

    return put
