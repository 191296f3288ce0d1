"""The course runner: its order, its page, how it goes on after a failure, the time left."""

import errno
import io
import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools import progress, run_course
from tools.listing import read_minutes, record_minutes
from tools.progress import Progress
from tools.scoreboards import read_scoreboard
from tools.sources import CourseError

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SOURCE = """\
# %% [markdown]
# # {number} {title}
#
# **Question.** How wide is a <ring>?

# %% tags=["setup"]

# %%
import base64
import json
import os
from pathlib import Path
from IPython.display import Image, display

# %% [markdown]
# Something else.
#
# Look at the *rim* of the ring.

# %%
display(Image(data=base64.b64decode("{pixel}")))

# %%
{last}
"""
SCOREBOARD = """\
row = dict(what="centre", value=0.25312, error=0.01, source=0.26, baseline=5.5,
           baseline_name="constant", floor=0.2, floor_name="pixels", target="< 0.3", unit="px",
           met=True)
poor = row | dict(what="radius & more", value=0.9, error=None, source="read off", baseline=None,
                  baseline_name=None, met=False)
profile = os.environ["HACK_PROFILE"]
claim = dict(claim="rings are round", found="they are", verdict="holds", data="MOCK")
board = dict(name="02_good", profile=profile, device="toaster", seed=7, mock=True)
board |= dict(rows=[row, poor], claims=[claim])
folder = Path(os.environ["HACK_OUTPUT"], "scoreboards")
folder.mkdir(parents=True, exist_ok=True)
Path(folder, "02_good.json").write_text(json.dumps(board))"""


def hack(root, number, name, title, last):
    path = root / "solutions" / f"{number}_{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = SOURCE.format(number=number, title=title, pixel=PIXEL, last=last)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A course of two hacks, the quicker of which fails, after it has run."""
    root = tmp_path_factory.mktemp("course")
    project = '[project]\nname = "course"\nversion = "3.2"\n\n[project.urls]\nRepository = "https://github.com/a/b"\n'
    (root / "pyproject.toml").write_text(project, encoding="utf-8")
    (root / "helpers").mkdir()
    (root / "helpers/__init__.py").write_text("", encoding="utf-8")
    (root / "helpers/cores.py").write_text("def share():\n    pass\n", encoding="utf-8")
    hack(root, "02", "good", "Good rings", SCOREBOARD)
    hack(root, "05", "bad", "Bad rings", 'raise ValueError("a <broken> ring")')
    record_minutes(root, "ci", {"02_good": 2.0, "05_bad": 1.0})
    stream = io.StringIO()
    page, results = run_course.run_course(root, profile="ci", stream=stream)
    return root, page.read_text(encoding="utf-8"), results, stream.getvalue()


def article(page, name):
    return str(BeautifulSoup(page, "html.parser").find("article", id=name))


def test_the_quickest_runs_first_and_a_failure_does_not_stop_the_course(ran):
    _, page, results, said = ran
    assert [(result.name, bool(result.error)) for result in results] == [
        ("05_bad", True),
        ("02_good", False),
    ]
    assert said.index("Bad rings") < said.index("Good rings")
    assert "2 of 2 hacks have run" in page
    assert "05 Bad rings: FAILED" in said and "02 Good rings: done in" in said


def test_the_page_tells_the_error_of_a_failed_hack(ran):
    _, page, _, _ = ran
    bad = article(page, "05_bad")
    assert "Failed: 05_bad: code cell 4 of 4" in bad
    assert "ValueError: a &lt;broken&gt; ring" in bad
    assert bad.count(PIXEL) == 1
    assert "Failed" not in article(page, "02_good")


def test_the_page_has_a_version_and_the_hacks_in_order_of_their_numbers(ran):
    _, page, _, _ = ran
    soup = BeautifulSoup(page, "html.parser")
    assert re.search(
        r"\d{4}-\d\d-\d\d \d\d:\d\d UTC · version 3.2 · .*profile ci · ", soup.header.get_text()
    )
    assert [found["id"] for found in soup.find_all("article")] == ["02_good", "05_bad"]


def test_mock_data_is_called_mock_on_the_page_and_in_the_terminal(ran):
    _, page, _, said = ran
    assert "MOCK" in article(page, "02_good") and "MOCK" not in article(page, "05_bad")
    (line,) = (line for line in said.split("\n") if "MOCK" in line)
    assert line.startswith("02 Good rings: done")


def test_the_claims_of_the_course_stand_on_the_page(ran):
    section = BeautifulSoup(ran[1], "html.parser").find("section", id="claims")
    (row,) = section.table.find_all("tr")[1:]
    cells = [" ".join(cell.get_text().split()) for cell in row.find_all("td")]
    assert cells == ["02", "rings are round", "they are", "MOCK", "–"]  # at ci nothing is judged


def test_the_page_needs_no_other_file_but_links_to_the_executed_notebooks(ran):
    root, page, _, _ = ran
    addresses = re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', page)
    assert {address.partition("#")[0] for address in addresses} == {"05_bad.html", "02_good.html"}
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page
    notebook = BeautifulSoup(
        (root / "outputs/02_good.html").read_text(encoding="utf-8"), "html.parser"
    )
    assert "the ring" in notebook.get_text()
    places = [
        address.partition("#")[2] for address in addresses if address.startswith("02_good.html#")
    ]
    assert len(places) == 1 and notebook.find(id=places[0])
    kept = nbformat.read(root / "outputs/05_bad.ipynb", as_version=4)
    assert kept.cells[-1].outputs[0].ename == "ValueError"


def test_an_old_scoreboard_is_not_shown_for_a_hack_that_wrote_none(ran, tmp_path):
    root, _, _, _ = ran
    board = tmp_path / "scoreboards/05_bad.json"
    board.parent.mkdir()
    board.write_text(json.dumps({"rows": [], "mock": True}), encoding="utf-8")
    options = ["--root", str(root), "--hack", "5", "--profile", "ci", "--outputs", str(tmp_path)]
    assert run_course.main(options) == 1
    assert "MOCK" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not (tmp_path / "02_good.ipynb").exists()


def refuse_to_write(monkeypatch, refused):
    """Let the disk be full for the files whose names `refused` accepts."""
    genuine = run_course.write

    def write(path, content):
        if refused(path.name):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return genuine(path, content)

    monkeypatch.setattr(run_course, "write", write)


def test_a_full_disk_does_not_stop_the_course(ran, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_course, "execute", lambda *_, **__: 0.0)
    refuse_to_write(monkeypatch, lambda name: name.startswith("05_bad"))
    options = ["--root", str(ran[0]), "--profile", "ci", "--outputs", str(tmp_path)]
    assert run_course.main(options) == 0
    said = capsys.readouterr().err
    assert "05_bad.html could not be written (No space left on device): make room" in said
    assert "02_good.html" not in said and (tmp_path / "02_good.html").exists()
    refuse_to_write(monkeypatch, lambda name: name == "index.html")
    assert run_course.main(options) == 1
    said = capsys.readouterr().err
    assert "index.html could not be written" in said and "Traceback" not in said


def test_a_folder_that_is_none_is_refused_before_anything_runs(ran, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        run_course, "execute", lambda *_, **__: pytest.fail("a notebook was executed")
    )
    (tmp_path / "file").write_text("", encoding="utf-8")
    options = ["--root", str(ran[0]), "--profile", "ci", "--outputs", str(tmp_path / "file")]
    assert run_course.main(options) == 1
    said = capsys.readouterr().err
    assert "index.html could not be written" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD", "found a file that is not JSON"),
        ("[]", r"found at \$ other than type object"),
        ('{"rows": {}}', r"found at \$.rows other than type array"),
        (
            '{"rows": [{"what": "x", "value": "0.3"}]}',
            r"found at \$.rows\[0\].value other than type",
        ),
        ('{"rows": [{"value": 0.3}]}', r"found at \$.rows\[0\] other than required \['what'\]"),
        ('{"rows": [{"what": "x", "met": 1}]}', r"found at \$.rows\[0\].met other than type"),
        ('{"rows": [{"what": "x", "floor": 1, "ceiling": 2}]}', "found x: expected the floor"),
        ('{"rows": [], "claims": 1}', r"found at \$.claims other than type array"),
        (
            '{"rows": [], "claims": [{"claim": "", "found": "", "verdict": "x", "data": ""}]}',
            r"found at \$.claims\[0\].verdict other than enum",
        ),
    ],
)
def test_an_odd_scoreboard_is_told_and_not_shown(tmp_path, text, message):
    path = tmp_path / "06_toy.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"06_toy: expected the scoreboard .*" + message):
        read_scoreboard(path)


def test_a_hack_with_an_odd_scoreboard_fails_and_the_course_goes_on(ran, tmp_path, monkeypatch):
    def execute(notebook, name, *_, **__):
        board = tmp_path / "scoreboards" / f"{name}.json"
        board.parent.mkdir(exist_ok=True)
        board.write_text('{"rows": 3}' if name == "05_bad" else '{"rows": []}', encoding="utf-8")

    monkeypatch.setattr(run_course, "execute", execute)
    _, results = run_course.run_course(ran[0], profile="ci", outputs=tmp_path, stream=io.StringIO())
    errors = {result.name: result.error for result in results}
    assert "expected the scoreboard" in errors["05_bad"] and errors["02_good"] == ""


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\n{}", "[1]", '{"02_good": 3}', '{"02_good": {"ci": "2"}}']
)
def test_minutes_that_cannot_be_read_are_told(tmp_path, text):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/minutes.json").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="benchmarks/minutes.json: expected the minutes"):
        read_minutes(tmp_path)


class Clock:
    """Stands in for the time module."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


def test_the_time_left_follows_the_pace_of_this_machine(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    course = Progress({"a": [10.0, 20.0], "b": [30.0, 40.0]}, io.StringIO())
    assert course.left() == 100
    course.started("a", 1, 2)
    clock.now = 20.0
    course.finished("a", 1, 2)
    assert course.left() == pytest.approx(2 * 90)
    now = ("a", 2, 2, clock.now)
    clock.now = 30.0
    assert course.left(now) == pytest.approx(2 * 90 - 10)
    clock.now = 500.0
    assert course.left(now) == pytest.approx(2 * 70)
    assert course.line(now) == "a: cell 2 of 2, 8:00; about 2 min left for all hacks"
    course.given_up("a", 2)
    assert course.left() == pytest.approx(2 * 70)


def test_away_from_a_terminal_a_line_is_written_for_each_tenth_only():
    stream = io.StringIO()
    with Progress({"a": [1.0] * 100}, stream) as course:
        for number in range(1, 101):
            course.started("a", number, 100)
            course.finished("a", number, 100)
    lines = stream.getvalue().split("\n")
    assert 10 <= len(lines) <= 13 and "\r" not in stream.getvalue()


def test_on_a_terminal_one_line_is_rewritten():
    stream = io.StringIO()
    stream.isatty = lambda: True
    with Progress({"a": [1.0, 1.0]}, stream) as course:
        course.started("a", 1, 2)
        course.finished("a", 1, 2)
        course.started("a", 2, 2)
    assert stream.getvalue().count("\r\x1b[Ka: cell") >= 2 and "\n" not in stream.getvalue()


def test_without_a_measurement_no_time_is_promised():
    stream = io.StringIO()
    course = Progress({"a": [5.0], "b": [0.0, 0.0]}, stream)
    course.started("a", 1, 1)
    assert "time left not known" in stream.getvalue()
    course.finished("a", 1, 1)
    for number in 1, 2:
        course.started("b", number, 2)
        course.finished("b", number, 2)
    assert "b: 2 of 2 cells, time left not known" in stream.getvalue()


@pytest.mark.parametrize(
    ("variables", "opened"),
    [
        ({}, True),
        ({"CI": "true"}, False),
        ({"HACK_NO_BROWSER": "1"}, False),
        ({"DISPLAY": ""}, False),
    ],
)
def test_a_browser_opens_only_where_a_person_watches(monkeypatch, tmp_path, variables, opened):
    calls = []
    monkeypatch.setattr(run_course.webbrowser, "open", calls.append)
    monkeypatch.setattr(run_course.sys, "platform", "linux")
    monkeypatch.setattr(run_course.sys, "stdout", io.StringIO())
    monkeypatch.setattr(run_course.sys.stdout, "isatty", lambda: True)
    for name in "CI", "HACK_NO_BROWSER", "WAYLAND_DISPLAY":
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run_course.show(tmp_path / "index.html")
    assert bool(calls) == opened


def test_a_missing_browser_is_no_failure(monkeypatch, tmp_path):
    def refuse(address):
        raise run_course.webbrowser.Error("no browser")

    monkeypatch.setattr(run_course.webbrowser, "open", refuse)
    monkeypatch.setattr(run_course.sys, "stdout", io.StringIO())
    monkeypatch.setattr(run_course.sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("HACK_NO_BROWSER", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    assert run_course.show(tmp_path / "index.html") is None


def test_seconds_of_the_last_execution_are_scaled_to_the_profile(ran):
    root = ran[0]
    (good,) = run_course.select(run_course.read_hacks(root), "02")
    assert run_course.expected_seconds(good, {}, "demo") == [0.0] * 4
    assert run_course.expected_seconds(good, {"02_good": {"ci": 2.0}}, "ci") == [30.0] * 4
    notebook = run_course.solved(root, good)
    for cell, seconds in zip(
        [c for c in notebook.cells if c.cell_type == "code"], (1, 2, 3, 4), strict=True
    ):
        cell.metadata["seconds"] = float(seconds)
    path = good.path.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    try:
        assert run_course.expected_seconds(good, {}, "demo") == [1, 2, 3, 4]
        scaled = run_course.expected_seconds(good, {"02_good": {"ci": 0.5}}, "ci")
        assert scaled == pytest.approx([3, 6, 9, 12])
        other = {"06_else": {"ci": 1.0, "demo": 20.0}}
        assert run_course.expected_seconds(good, other, "ci") == pytest.approx(
            [0.05, 0.1, 0.15, 0.2]
        )
        measured = other | {"02_good": {"demo": 1.0}}
        assert run_course.expected_seconds(good, measured, "ci") == pytest.approx(
            [0.3, 0.6, 0.9, 1.2]
        )
    finally:
        path.unlink()


def test_the_profile_comes_from_the_environment_too(monkeypatch, ran, capsys):
    monkeypatch.setenv("HACK_PROFILE", "quick")
    with pytest.raises(SystemExit):
        run_course.main(["--root", str(ran[0])])
    assert "HACK_PROFILE=quick: there are ci, demo, full" in capsys.readouterr().err
