"""The search path: where data are looked for, where they are written, and how a path is named."""

import os
from pathlib import Path

from helpers.datasets import places


def test_search_path_order(data, tmp_path, monkeypatch):
    assert places.search_path() == [data]
    one = tmp_path / "one"
    two = tmp_path / "two"
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
    drive = tmp_path / "drive"
    scratch = tmp_path / "scratch"
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
