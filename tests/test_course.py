"""`setup`, `Run` and the scoreboard."""

import json
import random
import sys
import types
import warnings

import numpy as np
import pytest
import torch

from helpers.course import Run, setup
from helpers.exercises import registry


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path):
    for name in ("HACK_PROFILE", "HACK_WARNINGS", "HACK_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HACK_OUTPUT", str(tmp_path / "out"))
    return tmp_path


@pytest.mark.parametrize(("profile", "picked"), [("ci", 1), ("demo", 2), ("full", 3), (None, 2)])
def test_pick_follows_the_profile(monkeypatch, profile, picked):
    if profile:
        monkeypatch.setenv("HACK_PROFILE", profile)
    run = setup("99_toy")
    assert run.pick(ci=1, demo=2, full=3) == picked
    assert (run.checkpoint("net") is None) == (profile == "ci")


def test_setup_says_whose_solved_notebook_a_hint_means(monkeypatch):
    monkeypatch.setattr(registry, "hacks", {})
    setup("99_toy")
    assert registry.hacks == {"99": "99_toy"}


def test_unknown_profile_lists_the_known_ones(monkeypatch):
    monkeypatch.setenv("HACK_PROFILE", "fast")
    with pytest.raises(ValueError, match="ci, demo, full, found 'fast'"):
        setup("99_toy")


def test_setup_prints_one_line_without_absolute_paths(capsys):
    setup("99_toy", seed=3)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "99_toy · profile demo · device cpu · data data · seed 3" in line or "cuda" in line


def test_the_profile_that_shows_nothing_says_so(monkeypatch, capsys):
    monkeypatch.setenv("HACK_PROFILE", "ci")
    setup("99_toy")
    assert "ci: sizes that only prove" in capsys.readouterr().out


def test_everything_is_seeded(monkeypatch):
    def draws():
        return random.random(), np.random.rand(), torch.rand(1).item()

    setup("99_toy", seed=5)
    first = draws()
    setup("99_toy", seed=5)
    assert draws() == first
    setup("99_toy", seed=6)
    assert draws() != first
    seeds = []
    keras = types.SimpleNamespace(utils=types.SimpleNamespace(set_random_seed=seeds.append))
    monkeypatch.setitem(sys.modules, "keras", keras)
    setup("99_toy", seed=7)
    assert seeds == [7]


def test_colab_without_gpu_is_told_how_to_switch_it_on(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    run = setup("99_toy")
    assert ("Change runtime type" in capsys.readouterr().out) == (run.device.type == "cpu")


def test_warnings_of_our_own_code_become_errors_where_asked(monkeypatch):
    monkeypatch.setenv("HACK_WARNINGS", "error")
    with warnings.catch_warnings():
        setup("99_toy")
        with pytest.raises(UserWarning):
            warnings.warn_explicit("ours", UserWarning, "f", 1, module="helpers.plots")
        with pytest.raises(UserWarning):
            warnings.warn_explicit("the notebook's", UserWarning, "f", 1, module="__main__")
        warnings.simplefilter("ignore", append=True)
        warnings.warn_explicit("theirs", UserWarning, "f", 1, module="torch.nn")


def test_scoreboard_on_screen_and_on_disk(folders):
    run = setup("99_toy", seed=1)
    run.score(
        "accuracy",
        0.99,
        0.002,
        above=0.985,
        source="0.979",
        ceiling=0.9995,
        ceiling_name="coincidence",
    )
    run.score("error <px>", 0.4, 0.01, below=0.3, baseline=5.5, baseline_name="constant", unit="px")
    run.score("error <px>", 0.2, 0.01, below=0.3, baseline=5.5, baseline_name="constant", unit="px")
    board = run.scoreboard()
    html = board._repr_html_()
    assert "error &lt;px&gt;" in html and "0.200 ± 0.010 px" in html and "5.5 (constant)" in html
    assert html.count("✓") == 2 and "✗" not in html and "MOCK" not in html
    assert "accuracy | 0.990 ± 0.002" in repr(board)
    saved = json.loads(
        (folders / "out" / "scoreboards" / "99_toy.json").read_text(encoding="utf-8")
    )
    assert [row["what"] for row in saved["rows"]] == ["accuracy", "error <px>"]
    assert saved["rows"][1]["value"] == 0.2 and saved["rows"][1]["met"] is True
    run.use(types.SimpleNamespace(mock=True))
    run.use(types.SimpleNamespace(mock=False))
    assert run.mock and "MOCK" in run.scoreboard()._repr_html_()


def test_numbers_of_other_libraries_reach_the_disk(folders):
    run = setup("99_toy")
    numbers = {"baseline": np.float32(0.1), "ceiling": np.int64(1), "above": np.float32(0.2)}
    run.score("R²", np.float32(0.5), torch.tensor(0.25), **numbers)
    run.score("lost", float("nan"), floor=np.float64("inf"))
    run.scoreboard()
    text = (folders / "out" / "scoreboards" / "99_toy.json").read_text(encoding="utf-8")
    first, second = json.loads(text, parse_constant=pytest.fail)["rows"]
    names = ("value", "error", "baseline", "ceiling")
    assert [first[name] for name in names] == [0.5, 0.25, np.float32(0.1), 1]
    assert second["value"] is None and second["floor"] is None


def test_target_that_is_missed_is_shown_as_missed():
    run = setup("99_toy")
    run.score("accuracy", 0.98, above=0.985)
    assert run.scores[0].met is False and "✗" in run.scoreboard()._repr_html_()


def test_claims_on_screen_and_on_disk(folders):
    run = setup("99_toy")
    run.claim("wider is better", "no", "does not hold here", source="Somebody (2020)")
    run.use(types.SimpleNamespace(mock=True))
    run.claim("deeper is better", "as good", "does not hold here")
    run.claim("deeper is better", "it is", "holds")
    run.claim("true of the sky", "–", "cannot be tested here", data="the survey")
    table = run.claims()
    shown = [[str(row[name]) for name in ("Claim", "Found here", "Data")] for row in table.rows]
    assert shown == [
        ["wider is better", "no", "real"],
        ["deeper is better", "it is", "MOCK"],
        ["true of the sky", "–", "the survey"],
    ]
    path = folders / "out" / "scoreboards" / "99_toy.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["rows"] == [] and saved["claims"][0]["source"] == "Somebody (2020)"
    run.score("accuracy", 0.9)
    run.scoreboard()
    again = json.loads(path.read_text(encoding="utf-8"))
    assert len(again["rows"]) == 1 and again["claims"] == saved["claims"]


def test_another_verdict_is_refused():
    run = setup("99_toy")
    with pytest.raises(ValueError, match="found 'perhaps'"):
        run.claim("wider is better", "it is", "perhaps")
    assert run.tested == []


def test_scoreboard_is_shown_where_nothing_can_be_written(folders, capsys):
    (folders / "out").write_text("a file in the place of the folder", encoding="utf-8")
    run = setup("99_toy")
    run.score("accuracy", 0.9)
    assert "accuracy" in repr(run.scoreboard())
    assert "could not be written" in capsys.readouterr().out


def test_run_is_a_plain_record(folders):
    run = Run("99_toy", "ci", 0, torch.device("cpu"), folders, folders)
    assert run.scores == run.tested == [] and run.mock is False
