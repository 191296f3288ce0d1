"""What makes a notebook a lesson: questions before answers, guesses before figures."""

import ast
import difflib
import re
from dataclasses import dataclass, replace

from tools.sources import ANSWER, KINDS, ROOT, read_hacks

SEEN = "What we saw"
OURS = "Our answer"
YOURS = "*Your answer:*"
GUESS = "None  # your guess"
HOW = """\
**How an exercise answers.** Write your code into the cell and run it. The line below it says \
*to do*, *not yet* and what is wrong, or *correct*. Until it is correct, the cells below use our \
solution: go on whenever you like, and come back. `hint("{first}")` in a cell of its own gives a \
hint, and when it is called again the next one. Where a text is folded (▸), \
look at the figure and answer for yourself before you open it."""
MINUTES = re.compile(r"^## .*\((\d+) min\)\s*$", re.MULTILINE)


def folded(summary, text):
    """Return Markdown that is shown when one clicks on its summary, in every viewer."""
    return f"<details>\n<summary><b>{summary}</b></summary>\n\n{text.strip()}\n\n</details>"


def participants(cell):
    """Return the cells that a participant finds in place of one."""
    if "teaching" in cell.tags:
        return []
    if "seen" in cell.tags:
        return [replace(cell, source=folded(f"{SEEN} (simulated data, demo)", cell.source))]
    if "think" in cell.tags:
        question, answer = map(str.strip, cell.source.split(f"\n{ANSWER}\n"))
        return [
            replace(cell, source=question),
            replace(cell, source=YOURS, tags=(), id=f"{cell.id}-yours"),
            replace(cell, source=folded(OURS, answer), tags=(), id=f"{cell.id}-ours"),
        ]
    if "predict" in cell.tags:
        return [replace(cell, source=_without_guesses(cell.source))]
    return [cell]


def solved(cell):
    """Return the cells that stand in the solved notebook in place of one."""
    if "teaching" in cell.tags:
        return []
    if "think" in cell.tags:
        return [replace(cell, source=cell.source.replace(ANSWER, f"**{OURS}.**"))]
    return [cell]


def _without_guesses(source):
    """Return the source of a cell of guesses with the value of each taken out."""
    lines = source.split("\n")
    for node in reversed(ast.parse(source).body):
        value = node.value
        head = lines[value.lineno - 1].encode()[: value.col_offset].decode()
        lines[value.lineno - 1 : node.end_lineno] = [head + GUESS]
    return "\n".join(lines)


def minutes(hack):
    """Return the minutes that a participant needs, by section: a list of (heading, minutes)."""
    texts = [cell.source for cell in hack.cells if cell.kind == "markdown"]
    found = [match for text in texts for match in MINUTES.finditer(text)]
    return [(match[0].removeprefix("## ").rsplit(" (", 1)[0], int(match[1])) for match in found]


@dataclass(frozen=True)
class Counts:
    """How much of a hack is the participant's, and what she meets in it.

    Attributes
    ----------
    lines, hers : int
        Lines of code of the solved notebook, and those of them that she writes.
    kinds : dict of str to int
        Exercises by kind.
    think, predict, cells, longest : int
        Questions, cells of guesses, cells, and characters of the longest line of code.
    """

    lines: int
    hers: int
    kinds: dict
    think: int
    predict: int
    cells: int
    longest: int

    @property
    def share(self):
        """The share of the lines of code that she writes."""
        return self.hers / max(self.lines, 1)


def count(hack):
    """Count what makes a hack a lesson; see `Counts`."""
    codes = [_solved_code(hack, cell) for cell in hack.cells if cell.kind == "code"]
    shown = [part for cell in hack.cells for part in solved(cell)]
    exercises = hack.exercises.values()
    kinds = {kind: 0 for kind in (*KINDS, "compute")}
    for exercise in exercises:
        kinds[exercise.kind] += 1
    return Counts(
        lines=sum(len(code_lines(code)) for code in codes),
        hers=sum(map(hers, exercises)),
        kinds=kinds,
        think=sum("think" in cell.tags for cell in hack.cells),
        predict=sum("predict" in cell.tags for cell in hack.cells),
        cells=len(shown),
        longest=max((len(line) for code in codes for line in code.split("\n")), default=0),
    )


def _solved_code(hack, cell):
    return hack.exercises[cell.id].solved() if "exercise" in cell.tags else cell.source


def code_lines(code):
    """Return the lines that hold code: no blank ones, no comments, no docstrings."""
    tree = ast.parse(code)
    skipped = set()
    for node in ast.walk(tree):
        documented = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module)
        if documented and ast.get_docstring(node) is not None:
            skipped.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = [line for i, line in enumerate(code.split("\n"), 1) if i not in skipped]
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]


def hers(exercise):
    """Return how many lines of an exercise's solution are not in what the participant is given."""
    given = code_lines(exercise.stub())
    whole = code_lines(exercise.solved())
    changes = difflib.SequenceMatcher(None, given, whole, autojunk=False).get_opcodes()
    return sum(end - start for kind, _, _, start, end in changes if kind != "equal")


def is_lesson(hack):
    """Whether a hack has the form of a lesson already."""
    return any("teaching" in cell.tags for cell in hack.cells)


def table(hacks):
    """Return the counts of all hacks as a table, in plain text."""
    head = (
        "hack  hers  of lines   share  build diagnose decide compute  think predict  cells longest"
    )
    rows = [head]
    for hack in hacks:
        counted = count(hack)
        kinds = counted.kinds
        rows.append(
            f"{hack.number:4}  {counted.hers:4}  {counted.lines:8}  {counted.share:6.1%}"
            f"  {kinds['build']:5} {kinds['diagnose']:8} {kinds['decide']:6} {kinds['compute']:7}"
            f"  {counted.think:5} {counted.predict:7}  {counted.cells:5} {counted.longest:7}"
            + ("" if is_lesson(hack) else "  not yet taught anew")
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(read_hacks(ROOT)))
