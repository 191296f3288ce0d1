"""Read and check the source of a hack: its cells, its exercises, its title and question."""

import ast
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"(\d\d)_[a-z0-9_]+")
MARK = re.compile(r"^# %%(?=\s|$)", re.MULTILINE)  # where a cell begins
KINDS = ("build", "diagnose", "decide")  # of exercises, beside those that only compute something
PROSE = ("seen", "think", "teaching")  # tags of texts
TAGS = ("setup", "exercise", *KINDS, "reference", "answer", "gallery", "predict", *PROSE)
BEGIN = "# BEGIN SOLUTION"
END = "# END SOLUTION"
ANSWER = "**Answer.**"  # between a question and our answer
GIVEN = "# INSTEAD OF IT"  # after the solution: what the participant gets, each line commented out


class CourseError(Exception):
    """Something that a person has to mend, said in one sentence."""


@dataclass(frozen=True)
class Cell:
    """One cell of the source: it begins in `line`, and keeps its `id` in both notebooks."""

    kind: str
    source: str
    tags: tuple[str, ...]
    line: int
    id: str


@dataclass(frozen=True)
class Exercise:
    """A checked exercise cell: its id, what it defines, the lines (from 0) to replace."""

    id: str
    name: str
    cell: Cell
    decorator: range
    blocks: tuple[range, ...]

    @property
    def kind(self):
        """What it asks for: "build", "diagnose" or "decide"; "compute" where it is none of them."""
        return next((kind for kind in KINDS if kind in self.cell.tags), "compute")

    def solved(self, decorated=True):
        """Return the solution without marker lines; without ``@exercise`` unless `decorated`."""
        dropped = set() if decorated else set(self.decorator)
        for block in self.blocks:
            dropped |= {block[0], block[-1], *self._given(block)}
        return "\n".join(
            line for i, line in enumerate(self.cell.source.split("\n")) if i not in dropped
        )

    def stub(self):
        """Return the exercise with each block of the solution replaced by what one finds."""
        lines = self.cell.source.split("\n")
        for block in reversed(self.blocks):
            indent = _indent(lines[block[0]])
            given = [lines[line] for line in self._given(block)[1:]]
            if given:
                left = [f'{indent}# This runs, and it is wrong. Mend it; hint("{self.id}") helps.']
                left += [_uncommented(line, indent) for line in given]
            else:
                left = [f'{indent}# Your code here; hint("{self.id}") helps.']
                left += [f'{indent}raise NotImplementedError("your code here")']
            lines[block[0] : block[-1] + 1] = left
        return "\n".join(lines)

    def as_given(self):
        """Return the wrong code of an exercise to diagnose, under the name ``…_as_given``."""
        lines = self.stub().split("\n")
        text = "\n".join(line for i, line in enumerate(lines) if i not in self.decorator)
        return re.sub(rf"^((?:def|class) {self.name})\b", r"\1_as_given", text, flags=re.MULTILINE)

    def _given(self, block):
        """Return the lines (from 0) of what is given instead of the solution, and its mark."""
        lines = self.cell.source.split("\n")
        marks = [line for line in block if lines[line].strip() == GIVEN]
        return range(marks[0], block[-1]) if marks else range(0)


@dataclass(frozen=True)
class Hack:
    """A source file, ``solutions/NN_name.py``, and what follows from it."""

    root: Path
    path: Path
    sha256: str
    cells: tuple[Cell, ...]

    @property
    def name(self):
        return self.path.stem

    @property
    def number(self):
        return self.name[:2]

    @property
    def source(self):
        """Path of the source, relative to the root."""
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def exercises(self):
        """The exercises in their order, as a dictionary from the cell's id."""
        return {cell.id: _exercise(self, cell) for cell in self.cells if "exercise" in cell.tags}

    @property
    def title(self):
        """The first heading, without the hack's number."""
        found = re.match(r"#\s+(?:Hack\s+)?(?:\d\d\b[\s:.–—-]*)?(.+)", self._header)
        return found[1].strip() if found else ""

    @property
    def question(self):
        """The paragraph that begins with ``**Question.**``, in one line."""
        text = "\n\n".join(cell.source for cell in self.cells if cell.kind == "markdown")
        found = re.search(
            r"^\*\*Question\.\*\*\s*(.+?)(?:\n\s*\n|\Z)", text, re.MULTILINE | re.DOTALL
        )
        return " ".join(found[1].split()) if found else ""

    @property
    def _header(self):
        return next((cell.source.lstrip() for cell in self.cells if cell.kind == "markdown"), "")

    def error(self, line, message):
        """Return a `CourseError` that names the file and the line."""
        return CourseError(f"{self.source}:{line}: {message}")


def read_hacks(root):
    """Read and check every source in ``solutions/``.

    Parameters
    ----------
    root : pathlib.Path
        The repository.

    Returns
    -------
    list of Hack
        In the order of their numbers.

    Raises
    ------
    CourseError
        If a source is malformed, or two have one number.
    """
    hacks = [read_hack(path, root) for path in sorted((root / "solutions").glob("*.py"))]
    for hack, other in pairwise(hacks):
        if hack.number == other.number:
            raise CourseError(f"{hack.source} and {other.source} have the same number")
    return hacks


def select(hacks, only):
    """Return the hacks that `only` names by number or name; all without it."""
    chosen = [hack for hack in hacks if not only or only.zfill(2) in (hack.number, hack.name)]
    if only and not chosen:
        raise CourseError(
            f"HACK={only}: there is {', '.join(hack.number for hack in hacks) or 'no hack'}"
        )
    return chosen


def read_hack(path, root):
    """Read one source in jupytext's percent format, and check it; see `read_hacks`."""
    if not NAME.fullmatch(path.stem):
        raise CourseError(f"solutions/{path.name}: a source is called NN_name.py")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        found = f"expected UTF-8, found another encoding at byte {error.start}"
        raise CourseError(f"solutions/{path.name}: {found}: save it as UTF-8") from None
    try:
        raw = jupytext.reads(text, fmt="py:percent").cells
    except (ValueError, nbformat.ValidationError) as error:
        what = str(error).strip().split("\n")[0]
        raise CourseError(
            f"solutions/{path.name}: not in jupytext's percent format: {what}"
        ) from None
    marks = [found.start() for found in MARK.finditer(text)]
    if len(marks) > len(raw):
        found = "expected '# %%' only where a cell begins, found it inside of a string"
        raise CourseError(f"solutions/{path.name}: {found}")
    cells = _cells(raw, text, marks)
    # New prose needs no new execution.
    code = "\0".join(cell.source for cell in cells if cell.kind == "code")
    hack = Hack(root, path, _sha256(code), tuple(cells))
    _check(hack)
    return hack


def _cells(raw, text, marks):
    """Return the cells that jupytext found in the text of a source, with their lines and ids."""
    unmarked = [0] * (len(raw) - len(marks))
    cells = []
    seen = Counter()
    for cell, mark in zip(raw, [*unmarked, *marks], strict=True):
        tags = tuple(cell.metadata.get("tags", ()))
        if not cell.source.strip() and not tags:
            continue
        digest = _sha256(cell.source)[:8]
        seen[digest] += 1
        cell_id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        start = text.find(cell.source, mark) if cell.cell_type == "code" else mark
        line = text.count("\n", 0, max(start, mark)) + 1
        cells.append(Cell(cell.cell_type, cell.source, tags, line, cell_id))
    return cells


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _check(hack):
    if not hack.title or not hack.question:
        raise hack.error(
            1, "the first text needs a '# Title' and a paragraph that begins with **Question.**"
        )
    for cell in hack.cells:
        _check_cell(hack, cell)
    for tag, allowed in ("setup", (1,)), ("gallery", (0, 1)):
        tagged = [cell for cell in hack.cells if tag in cell.tags]
        if len(tagged) not in allowed:
            line = tagged[-1].line if tagged else 1
            raise hack.error(line, f'{len(tagged)} cells are tagged "{tag}", one is wanted')
    for attribute in ("id", "name"):
        seen = {}
        for exercise in hack.exercises.values():
            value = getattr(exercise, attribute)
            if value in seen:
                raise hack.error(
                    exercise.cell.line, f"{value} is already the exercise of line {seen[value]}"
                )
            seen[value] = exercise.cell.line


def _check_cell(hack, cell):
    unknown = set(cell.tags) - set(TAGS)
    if unknown:
        raise hack.error(
            cell.line, f"unknown tag {sorted(unknown)[0]!r}; known are {', '.join(TAGS)}"
        )
    _check_lesson(hack, cell)
    if cell.kind != "code":
        return
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        line = cell.line + (error.lineno or 1) - 1
        raise hack.error(
            line, f"not plain Python ({error.msg}); %magic and !command are not used"
        ) from None
    if "setup" in cell.tags and tree.body:
        raise hack.error(
            cell.line, "the set-up cell is filled by the generator: leave its body empty"
        )
    if "exercise" not in cell.tags:
        marked = any(line.strip() in (BEGIN, END) for line in cell.source.split("\n"))
        if marked or any(_exercise_calls(node) for node in tree.body):
            raise hack.error(
                cell.line, 'an exercise stands in a cell marked # %% tags=["exercise"]'
            )


def _check_lesson(hack, cell):
    """Make sure that what the tags of a lesson ask for is there."""
    for tag in PROSE:
        if tag in cell.tags and cell.kind != "markdown":
            raise hack.error(cell.line, f'"{tag}" is a tag of texts, this is a cell of code')
    for kind in KINDS:
        if kind in cell.tags and "exercise" not in cell.tags:
            raise hack.error(cell.line, f'"{kind}" is a tag of exercises: write "exercise" as well')
    if "seen" in cell.tags and re.search(r"^#", cell.source, re.MULTILINE):
        raise hack.error(cell.line, "a heading in a folded text would be missing in the contents")
    if "think" in cell.tags and cell.source.split("\n").count(ANSWER) != 1:
        raise hack.error(cell.line, f"a question needs one line {ANSWER}, and our answer after it")
    if "predict" in cell.tags:
        body = ast.parse(cell.source).body if cell.kind == "code" else []
        if not body or not all(isinstance(node, ast.Assign) for node in body):
            raise hack.error(
                cell.line, 'a cell tagged "predict" only gives our guesses their names'
            )


def _exercise(hack, cell):
    body = ast.parse(cell.source).body
    if len(body) != 1 or not isinstance(
        body[0], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        raise hack.error(
            cell.line, "an exercise cell holds exactly one function or class and nothing else"
        )
    node = body[0]
    calls = _exercise_calls(node)
    if len(calls) != 1 or [type(value) for value in map(_constant, calls[0].args)] != [str]:
        raise hack.error(
            cell.line, f'{node.name} needs the decorator @exercise("{hack.number}.name")'
        )
    exercise_id = calls[0].args[0].value
    if not re.fullmatch(rf"{hack.number}\.\w+", exercise_id):
        raise hack.error(cell.line, f'the id "{exercise_id}" should read "{hack.number}.name"')
    decorator = range(calls[0].lineno - 1, calls[0].end_lineno)
    exercise = Exercise(exercise_id, node.name, cell, decorator, tuple(_blocks(hack, cell)))
    _check_stub(hack, exercise)
    return exercise


def _check_stub(hack, exercise):
    """Make sure that a participant can define the stub: it may raise only when it is called."""
    try:
        tree = ast.parse(exercise.stub())
    except SyntaxError as error:
        message = f"{exercise.name} without its solution is not valid Python ({error.msg})"
        raise hack.error(exercise.cell.line, message) from None
    if exercise.kind == "diagnose" and "NotImplementedError" in exercise.stub():
        message = f"{exercise.name} is to be diagnosed: give the code that is wrong after {GIVEN}"
        raise hack.error(exercise.cell.line, message)
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    called = {node for function in functions for node in ast.walk(function)}
    if any(isinstance(node, ast.Raise) and node not in called for node in ast.walk(tree)):
        raise hack.error(
            exercise.cell.line, f"in {exercise.name} a solution stands outside of a method"
        )


def _constant(node):
    return node.value if isinstance(node, ast.Constant) else None


def _exercise_calls(node):
    calls = [d for d in getattr(node, "decorator_list", ()) if isinstance(d, ast.Call)]
    return [
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "exercise"
    ]


def _blocks(hack, cell):
    """Yield the lines (from 0) of each solution, its markers included."""
    lines = cell.source.split("\n")
    begin = None
    count = 0
    for i, line in enumerate(lines):
        if line.strip() == BEGIN:
            if begin is not None:
                raise hack.error(
                    cell.line + i, f"{BEGIN} before the {END} of line {cell.line + begin}"
                )
            begin = i
        elif line.strip() == END:
            if begin is None:
                raise hack.error(cell.line + i, f"{END} without {BEGIN}")
            if _indent(line) != _indent(lines[begin]):
                line = cell.line + begin
                raise hack.error(
                    cell.line + i, f"{END} is not indented like the {BEGIN} of line {line}"
                )
            yield range(begin, i + 1)
            begin = None
            count += 1
    if begin is not None:
        raise hack.error(cell.line + begin, f"{BEGIN} without {END}")
    if not count:
        raise hack.error(cell.line, f"an exercise needs its solution between {BEGIN} and {END}")


def _uncommented(line, indent):
    """Return a line of code that stands in a comment of this indentation."""
    code = line.removeprefix(f"{indent}#")
    return f"{indent}{code.removeprefix(' ')}" if code.strip() else ""


def _indent(line):
    return line[: len(line) - len(line.lstrip())]
