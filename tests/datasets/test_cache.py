"""Arrays that are kept for the next time, whatever happens to their file."""

import os
import threading

import numpy as np
import pytest

from helpers.datasets import cache
from tests.datasets.common import names


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
