"""Scores and claims: what is refused, what is shown, and what comes back from disk."""

import json

import numpy as np
import pytest

from helpers.scoreboard import VERDICTS, Cell, Claim, Score, Scoreboard, Table

SCORES = [
    Score("error", 0.2, 0.01, "px", floor=0.1, floor_name="pixels", target="≤ 0.3", met=True),
    Score("accuracy", 0.9, ceiling=0.8, ceiling_name="overlap", baseline=0.5),
]
CLAIMS = [
    Claim("wider is better", "it is, by 3 σ", "holds", "MOCK"),
    Claim("deeper is better", "no", "does not hold here", "real", "Somebody (2020)"),
]


def board(**more):
    return Scoreboard("99_toy", "demo", "cpu", 7, rows=SCORES, claims=CLAIMS, **more)


def test_floor_and_ceiling_have_columns_of_their_own():
    table = board().scores_table()
    assert table.columns == ["What", "This run", "Floor", "Ceiling", "Baseline", "Target", "Met"]
    assert [list(map(str, row)) for row in table.cells()] == [
        ["error", "0.200 ± 0.010 px", "0.1 (pixels)", "", "", "≤ 0.3", "✓ met"],
        ["accuracy", "0.9", "", "0.8 (overlap)", "0.5", "", ""],
    ]


def test_a_column_without_anything_is_left_out_and_the_order_stays():
    table = Table("t", [{"a": Cell(), "b": Cell("1")}, {"a": Cell(), "b": Cell(text="<x>")}])
    assert table.columns == ["b"] and repr(table) == "t\n1\n<x>"
    html = table._repr_html_()
    assert "&lt;x&gt;" in html and html.count("<tr>") == 3
    assert Table("t", []).columns == [] and Table("t", []).cells() == []


def test_floors_and_ceilings_are_not_mixed():
    with pytest.raises(ValueError, match="R²: expected the floor .* or the ceiling .* found both"):
        Score("R²", 0.5, floor=0.1, ceiling=0.9)
    with pytest.raises(ValueError, match="found the target ≥ 0.5 beside the wrong bound"):
        Score("R²", 0.5, floor=0.9).reach(above=0.5)
    with pytest.raises(ValueError, match="found the target ≤ 0.5 beside the wrong bound"):
        Score("error", 0.5, ceiling=0.9).reach(below=0.5)
    with pytest.raises(ValueError, match="one target, found below and above"):
        Score("error", 0.5).reach(0.1, 0.2)


@pytest.mark.parametrize(
    ("limits", "target", "met"),
    [
        ({"below": 0.5}, "≤ 0.5", True),
        ({"below": 0.4}, "≤ 0.4", False),
        ({"above": 0.5}, "≥ 0.5", True),
        ({"above": np.float32(0.75)}, "≥ 0.75", False),
        ({}, None, None),
    ],
)
def test_a_target_is_met_or_not(limits, target, met):
    score = Score("x", 0.5)
    score.reach(**limits)
    assert (score.target, score.met) == (target, met)


def test_a_floor_far_below_the_error_is_about_zero():
    row = Score("x", 1.0, 0.5, floor=1e-4, baseline=0.1).cells()
    assert str(row["Floor"]) == "≈ 0" and str(row["Baseline"]) == "0.1"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_told(value):
    assert str(Score("x", value, floor=value).cells()["This run"]) == "not finite"
    assert str(Score("x", 1.0, floor=value).cells()["Floor"]) == ""


def test_a_claim_has_one_of_three_verdicts():
    for verdict in VERDICTS:
        assert Claim("a", "b", verdict, "MOCK").verdict == verdict
    for verdict in ("true", "Holds", "", None):
        with pytest.raises(ValueError, match="'holds', 'does not hold here', 'cannot be tested"):
            Claim("a", "b", verdict, "MOCK")


def test_claims_say_what_was_found_on_which_data():
    table = board().claims_table()
    assert table.columns == ["Claim", "Found here", "Data", "Verdict", "Source"]
    assert list(map(str, table.cells()[1])) == [
        "deeper is better",
        "no",
        "real",
        "does not hold here",
        "Somebody (2020)",
    ]
    assert [row[3].kind for row in table.cells()] == ["good", "bad"]


def test_at_ci_nothing_is_judged():
    quick = Scoreboard("99_toy", "ci", rows=SCORES, claims=CLAIMS)
    assert [str(row["Target"]) for row in quick.scores_table().rows] == ["–", ""]
    assert "Met" not in quick.scores_table().columns
    assert {str(row["Verdict"]) for row in quick.claims_table().rows} == {"–"}


def test_a_board_comes_back_from_disk():
    saved = json.loads(json.dumps(board(mock=True).as_dict(), allow_nan=False))
    assert Scoreboard.from_json(saved) == board(mock=True)
    assert "MOCK data" in repr(Scoreboard.from_json(saved).scores_table())


def test_a_board_of_an_older_course_is_shown():
    old = {"rows": [{"what": "x", "value": None, "colour": "red"}], "made": "long ago"}
    table = Scoreboard.from_json(old).scores_table()
    assert list(map(str, table.cells()[0])) == ["x", "not finite"]
    assert Scoreboard.from_json(old).claims_table().rows == []
