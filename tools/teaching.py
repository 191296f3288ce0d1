"""The part of ``docs/teaching.md`` that is about single hacks, from their sources and checks."""

import ast
import re

from tools import lesson
from tools.sources import ANSWER

GUIDES = re.compile(r"(<!-- guides:begin -->\n).*?(<!-- guides:end -->)", re.DOTALL)
FEWEST = 4  # words without a gap, of a reason that is listed
MISTAKES = 8  # of an exercise that are listed, at most
REFUSALS = {"require": 1, "refuse": 1}  # functions of the checks, and where their reason stands


def teaching_guide(root, hacks):
    """Return what a teacher needs to know of each hack that has the form of a lesson, in Markdown.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    hacks : list of sources.Hack

    Returns
    -------
    str
    """
    guides = [_guide(root, hack) for hack in hacks if lesson.is_lesson(hack)]
    return "\n" + "".join(f"{guide}\n\n" for guide in guides)


def _guide(root, hack):
    sections = lesson.minutes(hack)
    texts = [cell.source for cell in hack.cells if "teaching" in cell.tags]
    parts = [f"## {hack.number} {hack.title}", f"**Question.** {hack.question}", *texts]
    parts += ["### Minutes", _table(("section", "minutes"), [*sections, _total(sections)])]
    parts += ["### Exercises", _exercises(hack)]
    parts += ["### Usual mistakes, as the checks name them", _mistakes(root, hack)]
    parts += ["### Questions, and our answers", *_questions(hack)]
    return "\n\n".join(parts)


def _total(sections):
    return "**all**", sum(minutes for _, minutes in sections)


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _exercises(hack):
    rows = [
        (exercise.id, exercise.kind, lesson.hers(exercise)) for exercise in hack.exercises.values()
    ]
    return _table(("exercise", "what it asks for", "lines that she writes"), rows)


def _questions(hack):
    texts = [cell.source for cell in hack.cells if "think" in cell.tags]
    pairs = [text.split(f"\n{ANSWER}\n") for text in texts]
    return [f"**Q.** {question.strip()}\n\n**A.** {answer.strip()}" for question, answer in pairs]


def _mistakes(root, hack):
    path = root / "helpers" / "checks" / f"hack{hack.number}.py"
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = mistakes(source)
    known = [exercise.id for exercise in hack.exercises.values() if exercise.id in found]
    blocks = []
    for name in known:
        lines = [f"- {reason}" for reason in found[name][:MISTAKES]]
        blocks.append("\n".join([f"`{name}`", "", *lines]))
    return "\n\n".join(blocks)


def mistakes(source):
    """Return what the checks of a module say of wrong attempts.

    Parameters
    ----------
    source : str
        Of ``helpers/checks/hackNN.py``.

    Returns
    -------
    dict of str to list of str
        Reasons by exercise, in their order; "…" stands for what only an attempt shows.
    """
    tree = ast.parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = {}
    for function in functions.values():
        name = _exercise(function)
        if name:
            reasons = dict.fromkeys(_reasons(function, functions, set()))
            found[name] = [reason for reason in reasons if _says_enough(reason)]
    return found


def _says_enough(reason):
    """Whether a reason can be understood without what only an attempt shows."""
    words = [word for word in reason.split() if "…" not in word]
    return not reason.startswith("…") and len(words) >= FEWEST


def _exercise(function):
    """Return the exercise that a function checks, or None."""
    for decorator in function.decorator_list:
        named = isinstance(decorator, ast.Call) and decorator.args
        if named and getattr(decorator.func, "id", "") == "check":
            return decorator.args[0].value
    return None


def _reasons(function, functions, seen):
    """Yield the reasons in a function and in the module's own functions that it calls."""
    seen.add(function.name)
    for node in _in_order(function):
        if isinstance(node, ast.Dict):
            slips = all(isinstance(value, ast.List) for value in node.values)
            yield from filter(None, map(_text, node.keys if slips else ()))
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", "")
        place = REFUSALS.get(called)
        if place is not None and len(node.args) > place:
            reason = _text(node.args[place])
            if reason:
                yield reason
        if called in functions and called not in seen:
            yield from _reasons(functions[called], functions, seen)


def _in_order(node):
    """Yield a node and all below it as they stand in the source."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _text(node):
    """Return the text of a string, or of an f-string with "…" for its values; None of all else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    return None
