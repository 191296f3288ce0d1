"""Run the solved hacks one after the other, the quickest first, and collect what they show in one page.

Usage::

    python tools/run_course.py [--hack 06] [--profile ci|demo|full]
"""

import argparse
import json
import os
import sys
import webbrowser
from pathlib import Path

from nbconvert import HTMLExporter

from execution import course_environment, execute
from generate import solved
from listing import PROFILES, read_minutes
from notebooks import dumps, read_notebook, write
from progress import Progress
from results_page import Result, figures, results_page
from sources import ROOT, CourseError, read_hacks, select


def in_order(hacks, minutes, profile):
    """Return the hacks with the quickest first; those never measured come last."""

    def key(hack):
        measured = minutes.get(hack.name, {})
        return measured.get(profile, measured.get("demo", float("inf"))), hack.number

    return sorted(hacks, key=key)


def expected_seconds(hack, minutes, profile):
    """Return how long each code cell of a hack should take, from its last execution at the demo profile.

    Parameters
    ----------
    hack : sources.Hack
    minutes : dict
        Of `listing.read_minutes`; scales the seconds to another profile.
    profile : {"ci", "demo", "full"}

    Returns
    -------
    list of float
    """
    before = read_notebook(hack.path.with_suffix(".ipynb"))
    known = {cell.get("id"): cell.metadata.get("seconds", 0.0) for cell in before.cells} if before else {}
    seconds = [known.get(cell.id, 0.0) for cell in hack.cells if cell.kind == "code"]
    measured = minutes.get(hack.name, {})
    if measured.get(profile):
        # Where there is no execution to go by, each cell takes its share.
        scale = 60 * measured[profile] / (sum(seconds) or len(seconds))
        return [scale * value for value in (seconds if any(seconds) else [1.0] * len(seconds))]
    return seconds if profile == "demo" else [0.0] * len(seconds)


def run_hack(root, hack, profile, outputs, progress):
    """Execute one hack, keep its notebook in `outputs` as .ipynb and .html, and return its `Result`."""
    board = outputs / "scoreboards" / f"{hack.name}.json"
    board.unlink(missing_ok=True)
    notebook, at = solved(root, hack), [1]

    def started(number, total, cell):
        at[0] = number
        progress.started(hack.name, number, total)

    def finished(number, total, cell):
        progress.finished(hack.name, number, total)

    environment = course_environment(root, profile, outputs, HACK_STRICT="1")
    error = traceback = ""
    try:
        execute(notebook, hack.name, root / "solutions", environment, started, finished, timeout=None)
    except CourseError as failure:
        error, traceback = str(failure), getattr(failure, "traceback", "")
        progress.given_up(hack.name, at[0])
    seconds = sum(cell.metadata.get("seconds", 0.0) for cell in notebook.cells)
    write(outputs / f"{hack.name}.ipynb", dumps(notebook))
    write(outputs / f"{hack.name}.html", HTMLExporter().from_notebook_node(notebook)[0])
    return Result(
        hack.number,
        hack.name,
        hack.title,
        hack.question,
        seconds / 60,
        profile,
        _scoreboard(board),
        figures(notebook),
        error,
        traceback,
    )


def _scoreboard(path):
    """Return what ``run.scoreboard()`` wrote, or None."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def run_course(root, only="", profile="demo", outputs=None, stream=None):
    """Run the hacks and write ``index.html``, which grows with each.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    only : str
        Number or name of the one hack to run.
    profile : {"ci", "demo", "full"}
    outputs : pathlib.Path, optional
        Where everything goes; ``outputs/`` of the repository without it.
    stream : file, optional
        Where the progress is shown.

    Returns
    -------
    page : pathlib.Path
    results : list of Result
    """
    outputs = (outputs or root / "outputs").resolve()
    minutes = read_minutes(root)
    hacks = in_order(select(read_hacks(root), only), minutes, profile)
    if not hacks:
        raise CourseError("solutions/: there is no hack to run")
    page, results = outputs / "index.html", []
    expected = {hack.name: expected_seconds(hack, minutes, profile) for hack in hacks}
    with Progress(expected, stream) as progress:
        for hack in hacks:
            write(page, results_page(results, [other.title for other in hacks[len(results) :]]))
            result = run_hack(root, hack, profile, outputs, progress)
            results.append(result)
            progress.note(result.summary)
    write(page, results_page(results, []))
    return page, results


def show(page):
    """Open the page in a browser if a person is watching; never fail because there is none."""
    watched = sys.stdout.isatty() and not os.environ.get("CI") and not os.environ.get("HACK_NO_BROWSER")
    screen = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if watched and screen:
        try:
            webbrowser.open(page.as_uri())
        except (webbrowser.Error, OSError):
            return


def main(arguments=None):
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--hack", default="", help="number or name of the one hack to run")
    parser.add_argument("--profile", default="", choices=PROFILES, help="HACK_PROFILE or demo without it")
    parser.add_argument("--outputs", type=Path, help="where the page goes; outputs/ without it")
    options = parser.parse_args(arguments)
    profile = options.profile or os.environ.get("HACK_PROFILE") or "demo"
    if profile not in PROFILES:
        parser.error(f"HACK_PROFILE={profile}: there are {', '.join(PROFILES)}")
    try:
        page, results = run_course(options.root.resolve(), options.hack, profile, options.outputs)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the page shows the hacks that were finished", file=sys.stderr)
        return 130
    print(page)
    show(page)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
