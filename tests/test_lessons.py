"""The hacks that have the form of a lesson keep what a lesson promises."""

import pytest

from tools import lesson
from tools.sources import ROOT, read_hacks

LESSONS = [hack for hack in read_hacks(ROOT) if lesson.is_lesson(hack)]
SHARE = 0.15  # of the lines of code are hers
CELLS = 62  # about 60
CELL = 25  # lines of code
LINE = 100  # characters
BUILT = 12  # lines of what she builds

pytestmark = pytest.mark.parametrize("hack", LESSONS, ids=[hack.number for hack in LESSONS])


def test_she_writes_the_heart_of_it(hack):
    counted = lesson.count(hack)
    assert counted.share >= SHARE
    assert 4 <= len(hack.exercises) <= 7
    for kind in ("build", "diagnose", "decide"):
        assert counted.kinds[kind] >= 1, kind
    built = [lesson.hers(one) for one in hack.exercises.values() if one.kind == "build"]
    assert max(built) >= BUILT


def test_she_decides_and_guesses_before_she_sees(hack):
    counted = lesson.count(hack)
    assert counted.think >= 2
    assert counted.predict >= 2
    assert any("seen" in cell.tags for cell in hack.cells)


def test_it_can_be_read_on_a_projector(hack):
    counted = lesson.count(hack)
    assert counted.cells <= CELLS
    assert counted.longest <= LINE
    long = [
        cell.line
        for cell in hack.cells
        if cell.kind == "code" and len(lesson.code_lines(cell.source)) > CELL
    ]
    assert long == []


def test_the_time_of_each_section_is_named(hack):
    headings = [
        line
        for cell in hack.cells
        if cell.kind == "markdown"
        for line in cell.source.split("\n")
        if line.startswith("## ")
    ]
    assert len(lesson.minutes(hack)) == len(headings)
    assert 90 <= sum(minutes for _, minutes in lesson.minutes(hack)) <= 200


def test_its_questions_stand_in_the_guide_for_teachers(hack):
    guide = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert f"## {hack.number} {hack.title}" in guide
    for words in ("90 minutes", "180 minutes", "### Usual mistakes"):
        assert words in guide
