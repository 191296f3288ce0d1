"""The command line of the data sets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.datasets import __main__, places, registry


@pytest.fixture(autouse=True)
def same_registry(monkeypatch):
    monkeypatch.setattr(__main__, "registry", lambda name=None: registry.registry(name))


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
