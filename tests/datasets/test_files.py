"""A file appears under its name only when it is whole."""

import pytest

from helpers.datasets import files
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
