"""The guide for teachers: made from sources and checks, for each hack that is a lesson."""

from tests.tools.test_lesson import SOURCE, read
from tools.teaching import mistakes, teaching_guide

CHECKS = """\
@check("06.mean", hints=["Add."])
def mean(attempt, reference):
    require(attempt([1]) == 1, "the mean of one number is that number")
    slips = {
        "the sum is not divided": [3],
        f"it is divided by {2} and not by the number": [1.5],
        f"{2} is wrong": [2],
    }
    cases = {"negative numbers": (-1, -2)}
    _more(attempt)


def _more(attempt):
    refuse(attempt([]), "no numbers have no mean", 0)
    _more(attempt)


@check("06.double", hints=["Multiply."])
def double(attempt, reference):
    require_like(attempt, reference, {})
"""


def guide(folder):
    checks = folder / "helpers" / "checks"
    checks.mkdir(parents=True)
    (checks / "hack06.py").write_text(CHECKS, encoding="utf-8")
    return teaching_guide(folder, [read(folder, SOURCE)])


def test_mistakes_are_what_the_checks_say():
    assert mistakes(CHECKS) == {
        "06.mean": [
            "the mean of one number is that number",
            "the sum is not divided",
            "it is divided by … and not by the number",
            "no numbers have no mean",
        ],
        "06.double": [],
    }


def test_the_guide_has_minutes_exercises_mistakes_questions_and_what_the_author_says(tmp_path):
    text = guide(tmp_path)
    assert text.strip().startswith(
        "## 06 Toy rings\n\n**Question.** How large is a ring?\n\nSay hello"
    )
    assert "| 1 The data | 15 |" in text and "| **all** | 90 |" in text
    assert "| 06.mean | diagnose | 1 |" in text
    assert "- the sum is not divided" in text
    assert "Why is it large?" in text and "**A.** Since it is near." in text


def test_a_hack_that_has_not_the_form_is_left_out(tmp_path):
    hack = read(tmp_path, SOURCE.replace(' tags=["teaching"]', ""))
    assert teaching_guide(tmp_path, [hack]).strip() == ""
