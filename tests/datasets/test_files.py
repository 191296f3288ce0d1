"""A file appears under its name only when it is whole."""

from pathlib import Path

import pytest

from helpers.datasets import files
from helpers.datasets.files import DataError
from tests.datasets.common import names


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


def test_what_a_killed_process_has_left_is_found(tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # a killed process cleans nothing up
        with files.atomic_path(path) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise KeyboardInterrupt
    (tmp_path / ".scores-other.json").touch()
    assert files.unfinished(path) == files.unfinished(tmp_path / "*.json") == [temporary]


def test_work_is_done_alone_and_the_lock_goes(tmp_path):
    path = tmp_path / "new" / "scores.json"

    def busy():
        raise DataError("another is at it")

    with files.alone(path, busy):
        with pytest.raises(DataError), files.alone(path, busy):
            pytest.fail("two at once")
        assert names(path.parent) == ["scores.json.lock"]
    assert names(path.parent) == []
    path.with_name("scores.json.lock").touch()  # as a killed process leaves it
    with files.alone(path, busy):
        path.touch()
    assert names(path.parent) == ["scores.json"]
