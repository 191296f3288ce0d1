"""One page with everything that the hacks found, in a file that needs no other."""

import base64
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpers.scoreboard import VERDICTS, Cell, Scoreboard, Table
from tools.notebook_page import safe_markdown

KINDS = ("image/png", "image/jpeg", "image/svg+xml")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
CI = "ci: sizes that only prove that every cell runs; the text describes demo."


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
class Result:
    """What one hack left: the `Scoreboard` that it wrote, and what `figures` returns."""

    number: str
    name: str
    title: str
    question: str
    minutes: float
    profile: str
    scoreboard: Scoreboard | None
    figures: list
    error: str = ""
    traceback: str = ""

    @property
    def mock(self):
        """Whether the numbers are of simulated data."""
        return bool(self.scoreboard and self.scoreboard.mock)

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
        facts = [f"{self.minutes:.1f} min", f"profile {self.profile}"]
        if self.scoreboard and self.scoreboard.device:
            facts.append(f"device {self.scoreboard.device}")
        if self.scoreboard and self.scoreboard.seed is not None:
            facts.append(f"seed {self.scoreboard.seed}")
        return facts

    @property
    def targets(self):
        """How many targets were met, of how many; a dash where there is nothing to tell."""
        rows = self.scoreboard.rows if self.scoreboard and self.scoreboard.judged else []
        met = [row.met for row in rows if row.met is not None]
        return f"{sum(met)} of {len(met)}" if met else "–"

    @property
    def scores(self):
        """The `Table` of the scores, or None where there is none."""
        return self.scoreboard.scores_table() if self.scoreboard and self.scoreboard.rows else None

    @property
    def claims(self):
        """The rows of the table of claims."""
        return self.scoreboard.claims_table().rows if self.scoreboard else []

    @property
    def sections(self):
        """The figures of each section, as pairs of its heading and a list."""
        groups = groupby(self.figures, key=lambda figure: figure.section)
        return [(section, list(group)) for section, group in groups]


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


def all_claims(results):
    """Return the `Table` of the claims of all hacks; its title counts the verdicts."""
    rows = [{"Hack": Cell(result.number)} | row for result in results for row in result.claims]
    verdicts = [row["Verdict"].number for row in rows]
    counts = {verdict: verdicts.count(verdict) for verdict in VERDICTS}
    said = [f"{verdict}: {count}" for verdict, count in counts.items() if count]
    return Table(" · ".join(said), rows)


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
        claims=all_claims(shown),
        state=state,
        profile=profile,
        ci=CI,
    )


def _number(hack):
    return hack["number"] if isinstance(hack, dict) else hack.number
