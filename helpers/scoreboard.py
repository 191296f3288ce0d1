"""What a run found: scores beside the numbers that give them a meaning, and verdicts on claims.

Notebook and results page show both by the same `Table`.
"""

from dataclasses import asdict, dataclass, field, fields
from html import escape
from math import isfinite

from helpers.evaluation.errors import format_number

VERDICTS = {"holds": "good", "does not hold here": "bad", "cannot be tested here": "mark"}
NEGLIGIBLE = 0.01  # of the error: a floor below that is written "≈ 0"
NUMBERS = ("value", "error", "baseline", "floor", "ceiling")
CONTEXT = ("floor", "ceiling", "baseline")


@dataclass(frozen=True)
class Cell:
    """A cell of a table: a number that is not broken over lines, and a text after it.

    The kind tells how the number is coloured: number, good, bad or mark.
    """

    number: str = ""
    text: str = ""
    kind: str = "number"

    def __str__(self):
        return f"{self.number} {self.text}".strip()


@dataclass(frozen=True)
class Table:
    """Rows of cells under a title, for a notebook or a page.

    Attributes
    ----------
    title : str
    rows : list of dict of str to Cell
        By the name of the column; all have the same columns.
    """

    title: str
    rows: list

    @property
    def columns(self):
        """The names of the columns in which there is something."""
        names = self.rows[0] if self.rows else ()
        return [name for name in names if any(str(row[name]) for row in self.rows)]

    def cells(self):
        """Return the cells of these columns, a list for each row."""
        return [[row[name] for name in self.columns] for row in self.rows]

    def _repr_html_(self):
        lines = [_html_row("th", self.columns)]
        lines += [_html_row("td", cells) for cells in self.cells()]
        return f"<p><b>{escape(self.title)}</b></p><table>{''.join(lines)}</table>"

    def __repr__(self):
        lines = [" | ".join(map(str, cells)) for cells in self.cells()]
        return "\n".join([self.title, *lines])


def _html_row(tag, cells):
    opened = f"<{tag} style='text-align:left'>"
    return "<tr>" + "".join(f"{opened}{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


@dataclass
class Score:
    """One figure of merit: this run's value beside the numbers that give it a meaning.

    Attributes
    ----------
    what : str
        The figure of merit.
    value, error : float
        This run's value and its standard error.
    unit : str
    source : str
        What the published work reports.
    baseline, baseline_name : float, str
        What a much simpler method reaches.
    floor, floor_name : float, str
        Of an error: the lower bound, which the best possible method would reach.
    ceiling, ceiling_name : float, str
        Of a score, such as an accuracy or R²: the upper bound.
    target : str
        What is to be reached, as "≤ 0.3" or "≥ 0.9".
    met : bool
        Whether it was.

    Raises
    ------
    ValueError
        If there is a floor and a ceiling.
    """

    what: str
    value: float | None
    error: float | None = None
    unit: str | None = ""
    source: str | None = None
    baseline: float | None = None
    baseline_name: str | None = None
    floor: float | None = None
    floor_name: str | None = None
    ceiling: float | None = None
    ceiling_name: str | None = None
    target: str | None = None
    met: bool | None = None

    def __post_init__(self):
        """Take the numbers of any library: JSON knows none of NumPy's or PyTorch's."""
        for name in NUMBERS:
            number = getattr(self, name)
            if number is not None:
                setattr(self, name, float(number))
        if self.floor is not None and self.ceiling is not None:
            raise ValueError(
                f"{self.what}: expected the floor of an error or the ceiling of a score, found both"
            )

    def reach(self, below=None, above=None):
        """Set the target: met if the value lies at or below, or at or above, a number.

        Raises
        ------
        ValueError
            If there are two targets, or a ceiling where less is better, or a floor where more is.
        """
        if below is not None and above is not None:
            raise ValueError(f"{self.what}: expected one target, found below and above")
        if below is not None:
            self._aim(f"≤ {below:g}", self.value <= below, self.ceiling)
        if above is not None:
            self._aim(f"≥ {above:g}", self.value >= above, self.floor)

    def _aim(self, target, met, wrong_bound):
        if wrong_bound is not None:
            raise ValueError(
                f"{self.what}: found the target {target} beside the wrong bound: "
                "an error has a floor, a score has a ceiling"
            )
        self.target = target
        self.met = bool(met)

    def cells(self, judged=True):
        """Return the row of the table, a dict of str to `Cell`; not `judged`, no target is met."""
        target = Cell(self.target or "")
        met = MET[self.met]
        if not judged:
            target = Cell("–" if self.target else "")
            met = Cell()
        context = {name.capitalize(): self._context(name) for name in CONTEXT}
        return {
            "What": Cell(text=self.what),
            "This run": Cell(self._value()),
            **context,
            "Source": Cell("" if self.source is None else str(self.source)),
            "Target": target,
            "Met": met,
        }

    def _value(self):
        if self.value is None or not isfinite(self.value):
            return "not finite"
        return f"{format_number(self.value, self.error)} {self.unit or ''}".strip()

    def _context(self, which):
        number = getattr(self, which)
        if number is None or not isfinite(number):
            return Cell()
        name = getattr(self, f"{which}_name")
        shown = format_number(number, negligible=NEGLIGIBLE * (self.error or 0))
        return Cell(shown, f"({name})" if name else "")


MET = {True: Cell("✓ met", kind="good"), False: Cell("✗ not met", kind="bad"), None: Cell()}


@dataclass
class Claim:
    """A claim of a source, and what the experiment here says of it.

    Attributes
    ----------
    claim : str
        What the source claimed.
    found : str
        What the experiment here found.
    verdict : {"holds", "does not hold here", "cannot be tested here"}
    data : str
        The data of the experiment, as "MOCK" or "real".
    source : str
        Who claimed it, if not the hack's one source.

    Raises
    ------
    ValueError
        If the verdict is another.
    """

    claim: str
    found: str
    verdict: str
    data: str
    source: str | None = None

    def __post_init__(self):
        """Refuse other verdicts: the page counts them."""
        if self.verdict not in VERDICTS:
            known = ", ".join(map(repr, VERDICTS))
            raise ValueError(f"expected a verdict of {known}, found {self.verdict!r}")

    def cells(self, judged=True):
        """Return the row of the table, a dict of str to `Cell`; not `judged`, without verdict."""
        verdict = Cell(self.verdict, kind=VERDICTS[self.verdict])
        return {
            "Claim": Cell(text=self.claim),
            "Found here": Cell(text=self.found),
            "Data": Cell(text=self.data),
            "Verdict": verdict if judged else Cell("–"),
            "Source": Cell(text=self.source or ""),
        }


@dataclass
class Scoreboard:
    """The scores and claims of a run, as tables and as JSON on disk.

    Attributes
    ----------
    name, profile, device : str
    seed : int
    mock : bool
        Whether the run worked on simulated data.
    rows : list of Score
    claims : list of Claim
    """

    name: str = ""
    profile: str = "demo"
    device: str = ""
    seed: int | None = None
    mock: bool = False
    rows: list = field(default_factory=list)
    claims: list = field(default_factory=list)

    @classmethod
    def from_json(cls, board):
        """Make the scoreboard of what `as_dict` returned; what is unknown is left out."""
        known = _known(cls, board)
        known["rows"] = [Score(**{"value": None} | _known(Score, row)) for row in board["rows"]]
        known["claims"] = [Claim(**_known(Claim, row)) for row in board.get("claims", ())]
        return cls(**known)

    def as_dict(self):
        """Return everything as JSON knows it: None stands for a number that is not finite."""
        board = asdict(self)
        for row in board["rows"]:
            for name in NUMBERS:
                if row[name] is not None and not isfinite(row[name]):
                    row[name] = None
        return board

    @property
    def title(self):
        """How the scores came about, in one line."""
        facts = [self.name, f"profile {self.profile}", self.device, f"seed {self.seed}"]
        return " · ".join([*facts, "MOCK data"] if self.mock else facts)

    @property
    def judged(self):
        """Whether anything was trained long enough to be judged: not at `ci`."""
        return self.profile != "ci"

    def scores_table(self):
        """Return the `Table` of all scores."""
        return Table(self.title, [row.cells(self.judged) for row in self.rows])

    def claims_table(self):
        """Return the `Table` of all claims."""
        title = f"Claims of the source, tested · {self.title}"
        return Table(title, [row.cells(self.judged) for row in self.claims])


def _known(kind, values):
    """What of a JSON object are fields of a dataclass."""
    names = {known.name for known in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
