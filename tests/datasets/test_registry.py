"""The registry of data sets, and the choice between real and simulated ones."""

import re
from pathlib import Path
from types import SimpleNamespace

import IPython
import pytest

from helpers.datasets import places, registry
from helpers.datasets.files import DataError


def test_unknown_name():
    message = r"no data set 'rigns'; the known ones are .*camels_params.*rings"
    with pytest.raises(DataError, match=message):
        registry.registry("rigns")


def test_choose(data, capsys):
    assert registry.choose("auto", None, "rings") == "mock"
    expected = "rings: mock data, simulated on this machine (real data: not found under data/)\n"
    assert capsys.readouterr().out == expected
    with pytest.raises(DataError, match="rings: real data not found under data/; get them as"):
        registry.choose("real", None, "rings")
    with pytest.raises(DataError, match=re.escape(f"not found at {Path('data/rings.bin')}")):
        registry.choose("real", data / "rings.bin", "rings")
    (data / "rings.bin").touch()
    real = f"rings: real data, {Path('data/rings.bin')}\n"
    mock = 'rings: mock data, simulated on this machine (source="mock")\n'
    expected = {"auto": ("real", real), "real": ("real", real), "mock": ("mock", mock)}
    for source, (chosen, line) in expected.items():
        assert registry.choose(source, places.find("rings.bin"), "rings") == chosen
        assert capsys.readouterr().out == line
    with pytest.raises(ValueError, match="'reel'"):
        registry.choose("reel", None, "rings")


def test_a_cell_says_where_its_data_come_from_once_each_time_it_is_run(capsys, monkeypatch):
    shell = SimpleNamespace(execution_count=0)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    for _ in range(2):
        shell.execution_count += 1
        for what in ("rings", "spectra", "rings"):
            registry.choose("auto", None, what)
        told = capsys.readouterr().out.splitlines()
        assert [line.split(":")[0] for line in told] == ["rings", "spectra"]


def test_listing_says_what_is_here_and_how_to_get_the_rest(entry, data):
    entry({"name": "rings.bin"}, about="7 GB")
    (row,) = registry.listing()
    assert list(row) == ["name", "hack", "size", "here", "how to get it"]
    assert list(row.values()) == ["rings", "06", "7 GB", "no", "Ask the school."]
    entry({"name": "rings.bin", "url": "https://example.org", "size": 48_000})
    (data / "rings.bin").touch()
    (row,) = registry.listing()
    assert list(row.values()) == ["rings", "06", "48.0kB", "yes", "fetch rings"]


def test_places_of_a_data_set(entry, data):
    entry({"name": "rings.bin"}, {"name": "labels.txt"})
    (data / "rings.bin").touch()
    with pytest.raises(DataError, match=r"^rings: labels\.txt not found under data/$"):
        registry.places_of("rings")
    (data / "labels.txt").touch()
    assert registry.places_of("rings") == [data / "rings.bin", data / "labels.txt"]


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
