"""The course runner: its order, its page, its going on after a failure, and its estimate of the time left."""

import io
import json
import re

import nbformat
import pytest

import progress
import run_course
from listing import record_minutes
from progress import Progress
from results_page import Result, figures, results_page

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
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
row = dict(what="centre", value=0.25312, error=0.01, source=0.26, baseline=5.5, baseline_name="constant",
           floor=0.2, floor_name="pixels", target="< 0.3", unit="px", met=True)
poor = row | dict(what="radius & more", value=0.9, error=None, source="read off", baseline=None,
                  baseline_name=None, met=False)
profile = os.environ["HACK_PROFILE"]
board = dict(name="02_good", profile=profile, device="toaster", seed=7, mock=True, rows=[row, poor])
folder = Path(os.environ["HACK_OUTPUT"], "scoreboards")
folder.mkdir(parents=True, exist_ok=True)
Path(folder, "02_good.json").write_text(json.dumps(board))"""


def hack(root, number, name, title, last):
    path = root / "solutions" / f"{number}_{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.format(number=number, title=title, pixel=PIXEL, last=last), encoding="utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A course of two hacks, the quicker of which fails, after it has run."""
    root = tmp_path_factory.mktemp("course")
    (root / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/a/b"\n', encoding="utf-8")
    (root / "helpers").mkdir()
    (root / "helpers/__init__.py").write_text("", encoding="utf-8")
    hack(root, "02", "good", "Good rings", SCOREBOARD)
    hack(root, "05", "bad", "Bad rings", 'raise ValueError("a <broken> ring")')
    record_minutes(root, "ci", {"02_good": 2.0, "05_bad": 1.0})
    stream = io.StringIO()
    page, results = run_course.run_course(root, profile="ci", stream=stream)
    return root, page.read_text(encoding="utf-8"), results, stream.getvalue()


def article(page, name):
    (found,) = re.findall(rf'<article id="{name}">.*?</article>', page, re.DOTALL)
    return found


def test_the_quickest_runs_first_and_a_failure_does_not_stop_the_course(ran):
    _, page, results, said = ran
    assert [(result.name, bool(result.error)) for result in results] == [("05_bad", True), ("02_good", False)]
    assert page.index("Bad rings") < page.index("Good rings")
    assert "2 of 2 hacks have run" in page
    assert "05 Bad rings: FAILED" in said and "02 Good rings: done in" in said


def test_the_page_tells_the_error_of_a_failed_hack(ran):
    _, page, _, _ = ran
    bad = article(page, "05_bad")
    assert "Failed: 05_bad: code cell 4 of 4" in bad
    assert "ValueError: a &lt;broken&gt; ring" in bad
    assert bad.count(PIXEL) == 1
    assert "Failed" not in article(page, "02_good")


def test_the_page_shows_scoreboard_question_and_settings(ran):
    good = article(ran[1], "02_good")
    rows = re.findall(r"<tr>(.*?)</tr>", good)
    texts = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]
    assert texts[0][:6] == ["What", "This run", "Source", "Baseline", "Floor", "Target"]
    first = ["centre", "0.253 ± 0.010 px", "0.26", "5.5 (constant)", "0.2 (pixels)", "&lt; 0.3"]
    assert texts[1][:6] == first and "✓ met" in texts[1][6]
    assert texts[2][:4] == ["radius &amp; more", "0.9 px", "read off", ""] and "✗ not met" in texts[2][6]
    assert "profile ci · device toaster · seed 7" in good
    assert "How wide is a" in good


def test_each_figure_follows_the_sentence_before_it(ran):
    good = article(ran[1], "02_good")
    (figure,) = re.findall(r"<figure>(.*?)</figure>", good, re.DOTALL)
    assert "Look at the <em>rim</em> of the ring." in figure and "Something else" not in figure
    assert f'src="data:image/png;base64,{PIXEL}"' in figure
    assert 'alt="Look at the rim of the ring."' in figure


def test_mock_data_is_called_mock_on_the_page_and_in_the_terminal(ran):
    _, page, _, said = ran
    assert "MOCK" in article(page, "02_good") and "MOCK" not in article(page, "05_bad")
    (line,) = (line for line in said.split("\n") if "MOCK" in line)
    assert line.startswith("02 Good rings: done")


def test_the_page_needs_no_other_file_but_links_to_the_executed_notebooks(ran):
    root, page, _, _ = ran
    assert re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page) == ["05_bad.html", "02_good.html"]
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page
    assert "the ring" in (root / "outputs/02_good.html").read_text(encoding="utf-8")
    kept = nbformat.read(root / "outputs/05_bad.ipynb", as_version=4)
    assert kept.cells[-1].outputs[0].ename == "ValueError"


def test_the_page_grows_with_each_hack():
    empty = results_page([], ["Good rings", "Bad rings"])
    assert "0 of 2 hacks have run" in empty and "Now: Good rings" in empty
    one = Result("02", "02_good", "Good rings", "How?", 1.0, "demo", None, [])
    page = results_page([one], ["Bad rings"])
    assert "1 of 2 hacks have run" in page and "Now: Bad rings" in page and 'id="02_good"' in page


def test_an_old_scoreboard_is_not_shown_for_a_hack_that_wrote_none(ran, tmp_path):
    root, _, _, _ = ran
    board = tmp_path / "scoreboards/05_bad.json"
    board.parent.mkdir()
    board.write_text(json.dumps({"rows": [], "mock": True}), encoding="utf-8")
    options = ["--root", str(root), "--hack", "5", "--profile", "ci", "--outputs", str(tmp_path)]
    assert run_course.main(options) == 1
    assert "MOCK" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not (tmp_path / "02_good.ipynb").exists()


def test_figures_of_each_kind_are_found_in_order():
    display = [
        nbformat.v4.new_output("display_data", {kind: kind, "text/plain": "x"})
        for kind in ("image/svg+xml", "image/png", "text/html")
    ]
    cell = nbformat.v4.new_code_cell("x", outputs=display)
    text = nbformat.v4.new_markdown_cell("One.\n\nTwo\nlines.")
    notebook = nbformat.v4.new_notebook(cells=[cell, text, cell])
    kinds = ["image/svg+xml", "image/png"]
    assert figures(notebook) == [(k, k, c) for c in ("", "Two\nlines.") for k in kinds]


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
    [({}, True), ({"CI": "true"}, False), ({"HACK_NO_BROWSER": "1"}, False), ({"DISPLAY": ""}, False)],
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
    for cell, seconds in zip([c for c in notebook.cells if c.cell_type == "code"], (1, 2, 3, 4), strict=True):
        cell.metadata["seconds"] = float(seconds)
    path = good.path.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    try:
        assert run_course.expected_seconds(good, {}, "demo") == [1, 2, 3, 4]
        scaled = run_course.expected_seconds(good, {"02_good": {"ci": 0.5}}, "ci")
        assert scaled == pytest.approx([3, 6, 9, 12])
        assert run_course.expected_seconds(good, {}, "ci") == [0.0] * 4
    finally:
        path.unlink()


def test_the_profile_comes_from_the_environment_too(monkeypatch, ran, capsys):
    monkeypatch.setenv("HACK_PROFILE", "quick")
    with pytest.raises(SystemExit):
        run_course.main(["--root", str(ran[0])])
    assert "HACK_PROFILE=quick: there are ci, demo, full" in capsys.readouterr().err
