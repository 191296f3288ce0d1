"""Run the solved hacks one after the other, the quickest first, and show all in one page.

Usage::

    python -m tools.run_course [--hack 06] [--profile ci|demo|full]
"""

import argparse
import math
import os
import subprocess
import sys
import tomllib
import webbrowser
from datetime import UTC, datetime
from pathlib import Path

from helpers.datasets.places import short
from tools.execution import course_environment, execute
from tools.generate import solved
from tools.listing import PROFILES, read_minutes
from tools.notebook_page import notebook_page
from tools.notebooks import dumps, read_notebook, write
from tools.progress import Progress
from tools.results_page import Result, figures, results_page
from tools.scoreboards import forget_scoreboard, read_scoreboard
from tools.sources import ROOT, CourseError, read_hacks, select


def in_order(hacks, minutes, profile):
    """Return the hacks with the quickest first; those never measured come last."""

    def key(hack):
        measured = minutes.get(hack.name, {})
        demo = measured.get("demo", math.inf)
        return measured.get(profile, demo), hack.number

    return sorted(hacks, key=key)


def expected_seconds(hack, minutes, profile):
    """Return how long each code cell of a hack should take, from its last execution at demo.

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
    executed = before.cells if before else []
    known = {cell.get("id"): cell.metadata.get("seconds", 0.0) for cell in executed}
    shares = [known.get(cell.id, 0.0) for cell in hack.cells if cell.kind == "code"]
    measured = minutes.get(hack.name, {})
    demo = 60 * measured["demo"] if "demo" in measured else sum(shares)
    total = 60 * measured[profile] if profile in measured else demo * typical(minutes, profile)
    if not any(shares):
        # Where there is no execution to go by, each cell takes the same share.
        shares = [1.0] * len(shares)
    return [total * share / sum(shares) for share in shares]


def typical(minutes, profile):
    """Return the time of a profile relative to demo, where both were measured."""
    both = [measured for measured in minutes.values() if {profile, "demo"} <= set(measured)]
    demo = sum(measured["demo"] for measured in both)
    return sum(measured[profile] for measured in both) / demo if demo else 1.0


def edition(root):
    """Return which version of the course this is, and which commit if git knows one."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings.get("project", {})
    words = [f"version {project['version']}"] if "version" in project else []
    command = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--exclude=*",
        "--dirty=, changed since",
    ]
    try:
        found = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True
        ).stdout.strip()
        words.append(f"commit {found}")
    except (OSError, subprocess.CalledProcessError):
        pass  # an installation without its history
    return words


def save(path, content, note):
    """Write a file, or say with `note` why that is not possible; return whether it was."""
    try:
        write(path, content)
    except OSError as error:
        cure = "make room, or name another folder with --outputs"
        note(f"{short(path)} could not be written ({error.strerror}): {cure}")
        return False
    return True


def run_hack(root, hack, profile, outputs, progress):
    """Execute one hack, keep its notebook in `outputs`, and return its `Result`."""
    board = outputs / "scoreboards" / f"{hack.name}.json"
    forgotten = forget_scoreboard(board)
    notebook = solved(root, hack)
    running = 1  # the number of the cell

    def started(number, total, cell):
        nonlocal running
        running = number
        progress.started(hack.name, number, total)

    def finished(number, total, cell):
        progress.finished(hack.name, number, total)

    environment = course_environment(root, profile, outputs, HACK_STRICT="1")
    error = ""
    traceback = ""
    try:
        execute(
            notebook, hack.name, root / "solutions", environment, started, finished, timeout=None
        )
    except CourseError as failure:
        error = str(failure)
        traceback = getattr(failure, "traceback", "")
        progress.given_up(hack.name, running)
    scores = None
    if forgotten:
        try:
            scores = read_scoreboard(board)
        except CourseError as failure:
            error = error or str(failure)
    seconds = sum(cell.metadata.get("seconds", 0.0) for cell in notebook.cells)
    save(outputs / f"{hack.name}.ipynb", dumps(notebook), progress.note)
    save(outputs / f"{hack.name}.html", notebook_page(notebook, hack.title), progress.note)
    return Result(
        number=hack.number,
        name=hack.name,
        title=hack.title,
        question=hack.question,
        minutes=seconds / 60,
        profile=profile,
        scoreboard=scores,
        figures=figures(notebook),
        error=error,
        traceback=traceback,
    )


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
    page : pathlib.Path or None
        None if what it should show at last could not be written.
    results : list of Result

    Raises
    ------
    CourseError
        If there is nothing to run, or nothing can be written from the start.
    """
    outputs = (outputs or root / "outputs").resolve()
    minutes = read_minutes(root)
    hacks = in_order(select(read_hacks(root), only), minutes, profile)
    if not hacks:
        raise CourseError("solutions/: there is no hack to run")
    page = outputs / "index.html"
    results = []
    expected = {hack.name: expected_seconds(hack, minutes, profile) for hack in hacks}
    facts = [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", *edition(root)]

    def grown():
        return results_page(results, hacks[len(results) :], profile, facts)

    def refuse(reason):
        raise CourseError(reason)

    save(page, grown(), refuse)
    with Progress(expected, stream) as progress:
        for hack in hacks:
            result = run_hack(root, hack, profile, outputs, progress)
            results.append(result)
            progress.note(result.summary)
            kept = save(page, grown(), progress.note)
    return page if kept else None, results


def show(page):
    """Open the page in a browser if a person is watching; never fail because there is none."""
    unwanted = any(map(os.environ.get, ("CI", "HACK_NO_BROWSER")))
    screen = sys.platform != "linux" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if sys.stdout.isatty() and screen and not unwanted:
        try:
            webbrowser.open(page.as_uri())
        except (webbrowser.Error, OSError):
            return


def main(arguments=None):
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--hack", default="", help="number or name of the one hack to run")
    parser.add_argument(
        "--profile", default="", choices=PROFILES, help="HACK_PROFILE or demo without it"
    )
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
    if page is None:
        return 1
    print(page)
    show(page)
    return int(any(result.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
