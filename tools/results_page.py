"""One page with everything that the hacks found: scoreboards and figures, in a file that needs no other."""

import base64
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpers.evaluation.errors import format_number
from tools.notebook_page import safe_markdown

KINDS = ("image/png", "image/jpeg", "image/svg+xml")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
CI = "ci: sizes that only prove that every cell runs; the text describes demo."
MET = {True: "✓ met", False: "✗ not met", None: ""}
KIND = {True: "good", False: "bad", None: "number"}
COLUMNS = ("What", "This run", "Source", "Baseline", "Floor", "Target", "Met")


@dataclass(frozen=True)
class Figure:
    """A picture that a notebook put out, and the cell and section it stands in."""

    number: int
    kind: str
    content: str
    section: str
    cell: str
    width: int | None = None
    described: str = ""

    @property
    def alt(self):
        """What stands for the picture where it is not seen."""
        return self.described or f"Figure {self.number}, of the section {self.section}"

    @property
    def address(self):
        """The picture itself, as an address; in an image not even a script in an SVG would run."""
        data = self.content
        if self.kind == "image/svg+xml":
            data = base64.b64encode(data.encode()).decode()
        return f"data:{self.kind};base64,{''.join(data.split())}"


@dataclass(frozen=True)
class Cell:
    """One cell of the table: a number that is not broken over lines, and a text after it."""

    number: str = ""
    text: str = ""
    kind: str = "number"


@dataclass(frozen=True)
class Result:
    """What one hack left: the scoreboard that ``run.scoreboard()`` wrote, and what `figures` returns."""

    number: str
    name: str
    title: str
    question: str
    minutes: float
    profile: str
    scoreboard: dict | None
    figures: list
    error: str = ""
    traceback: str = ""

    @property
    def mock(self):
        """Whether the numbers are of simulated data."""
        return bool(self.scoreboard and self.scoreboard.get("mock"))

    @property
    def status(self):
        """Whether the notebook came to its end."""
        return "failed" if self.error else "done"

    @property
    def summary(self):
        """One line for the terminal."""
        if self.error:
            return f"{self.number} {self.title}: FAILED. {self.error}"
        data = "; on MOCK data, simulated here, not observed" if self.mock else ""
        return f"{self.number} {self.title}: done in {self.minutes:.1f} min{data}"

    @property
    def facts(self):
        """How the hack ran, in a few words each."""
        board = self.scoreboard or {}
        facts = [f"{self.minutes:.1f} min", f"profile {self.profile}"]
        return facts + [f"{key} {board[key]}" for key in ("device", "seed") if key in board]

    @property
    def targets(self):
        """How many targets were met, of how many; a dash where there is nothing to tell."""
        met = [row["met"] for row in self._scores if row.get("met") is not None]
        return f"{sum(met)} of {len(met)}" if met and self.profile != "ci" else "–"

    @property
    def rows(self):
        """The lines of the scoreboard, each a dictionary from the name of a column to a `Cell`."""
        return [_row(row, self.profile) for row in self._scores]

    @property
    def columns(self):
        """The columns in which there is something."""
        rows = self.rows
        return [name for name in COLUMNS if any(row[name] != Cell() for row in rows)]

    @property
    def sections(self):
        """The figures of each section, as pairs of its heading and a list."""
        groups = groupby(self.figures, key=lambda figure: figure.section)
        return [(section, list(group)) for section, group in groups]

    @property
    def _scores(self):
        return (self.scoreboard or {}).get("rows", [])


def _row(row, profile):
    error = row.get("error")
    unit = row.get("unit") or ""
    value = "" if row.get("value") is None else format_number(row["value"], error)
    source = row.get("source")
    met = row.get("met")
    target = row.get("target") or ""
    if profile == "ci":
        # Nothing was trained long enough to be measured by it.
        met = None
        target = "–" if target else ""
    return {
        "What": Cell(text=row["what"]),
        "This run": Cell(f"{value} {unit}".strip()),
        "Source": Cell("" if source is None else str(source)),
        "Baseline": _context(row, "baseline"),
        "Floor": _context(row, "floor"),
        "Target": Cell(target),
        "Met": Cell(MET[met], kind=KIND[met]) if met is not None else Cell(),
    }


def _context(row, key):
    """Return the cell of the baseline or the floor: the number, and in brackets what it is of."""
    if row.get(key) is None:
        return Cell()
    negligible = (row.get("error") or 0) / 100
    name = row.get(f"{key}_name")
    return Cell(format_number(row[key], negligible=negligible), f"({name})" if name else "")


def figures(notebook):
    """Return each `Figure` of an executed notebook, in order."""
    found = []
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (HEADING.findall(cell.source) or [section])[-1]
        for output in cell.get("outputs", ()):
            kind = next((kind for kind in KINDS if kind in output.get("data", {})), None)
            if kind is None:
                continue
            about = output.get("metadata", {}).get(kind, {})
            figure = Figure(
                number=len(found) + 1,
                kind=kind,
                content=output.data[kind],
                section=section,
                cell=cell.get("id", ""),
                width=about.get("width"),
                described=about.get("alt", ""),
            )
            found.append(figure)
    return found


def results_page(results, waiting, profile="demo", facts=()):
    """Return the page as HTML.

    Parameters
    ----------
    results : list of Result
        Of the hacks that have run.
    waiting : list of sources.Hack
        The others, the first of which runs now.
    profile : {"ci", "demo", "full"}
    facts : iterable of str
        When, and from which version of the course, the page was made.

    Returns
    -------
    str
    """
    state = f"{len(results)} of {len(results) + len(waiting)} hacks have run."
    if waiting:
        state += f" Now: {waiting[0].title}. Load the page again to see more."
    planned = [
        {"number": hack.number, "title": hack.title, "status": "waits" if place else "runs now"}
        for place, hack in enumerate(waiting)
    ]
    minutes = sum(result.minutes for result in results)
    shown = sorted(results, key=_number)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["markdown"] = safe_markdown
    return environment.get_template("results_page.html.j2").render(
        results=shown,
        overview=sorted([*results, *planned], key=_number),
        facts=[*facts, f"profile {profile}", f"{minutes:.1f} min in all"],
        state=state,
        profile=profile,
        ci=CI,
    )


def _number(hack):
    return hack["number"] if isinstance(hack, dict) else hack.number
