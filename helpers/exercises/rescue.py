"""What keeps an attempt from stopping the notebook where its decorator never sees it.

Python reads a cell before it runs it, and runs the body of a class and the default values of a
function before the decorator. So `protect_notebook` has the shell hand each cell to
`answer_unreadable` and `Protect`.
"""

import ast
import re
import warnings
from contextlib import contextmanager

from IPython import get_ipython
from IPython.core.inputtransformer2 import TransformerManager

from helpers.exercises import answers, registry
from helpers.exercises.attempts import TimeIsUp, time_limit

# A cell may not have imported it.
ROOM = "__import__('importlib').import_module('helpers.exercises.rescue')"


def protect_notebook(hack):
    """In a notebook, let no attempt at an exercise stop it; elsewhere only note which hack this is.

    The name of each exercise is the reference from the start, where the notebook does not define
    it: for the cells below one that was left out, was interrupted, or whose exercise is misspelt.
    With ``HACK_STRICT=1`` it is not.

    Parameters
    ----------
    hack : str
        Its number and name, such as "06_cherenkov_rings".
    """
    number = hack.split("_")[0]
    registry.hacks[number] = hack
    shell = get_ipython()
    if not shell:
        return
    if answer_unreadable not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(answer_unreadable)
        shell.ast_transformers.append(Protect())
    if answers.strict():
        return
    names = {identifier.split(".")[1]: identifier for identifier in registry.names(number)}
    undefined = names.keys() - shell.user_ns.keys()
    references = {name: registry.reference(names[name]) for name in undefined}
    shell.push(references, interactive=False)  # %whos does not list them


def answer_unreadable(lines):
    """Make an exercise's cell that Python cannot read into one that says so; leave all others.

    Parameters
    ----------
    lines : list of str
        Of the cell, as it was written, or as a magic of the whole cell hands it on.

    Returns
    -------
    list of str
    """
    source = "".join(lines)
    found = re.search(r"^@(?:\w+\.)*exercise\(.*?(\w+\.\w+)", source, re.MULTILINE)
    if not found or not _registered(found[1]):
        return lines
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the shell compiles the cell again, and shows them
            python = TransformerManager().transform_cell(source)  # without magics
            compile(python, "<exercise>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        number = min(error.lineno or 1, len(lines))
        line = lines[number - 1].strip()
        reason = f"Python cannot read line {number}, `{line}`: {error.msg}"
        name = found[1].split(".")[1]
        return [f"{name} = {ROOM}.missing({found[1]!r}, {reason!r})\n"]
    return lines


answer_unreadable.has_side_effects = True  # it is not asked whether a cell is written to its end


def missing(identifier, reason):
    """Answer for an attempt that there is not, and return the reference."""
    task = registry.known(identifier)
    figure = answers.picture(task, registry.reference(identifier))
    answer = answers.Answer(answers.NOT_YET, str(reason), figure)
    return answers.say(identifier, None, answer)


class Protect(ast.NodeTransformer):
    """Put each exercise of a cell into ``with rescued(...)``."""

    def visit_definition(self, node):
        """Wrap a function or class, if it is an exercise."""
        calls = [call for call in node.decorator_list if _is_exercise(call)]
        identifiers = [value for call in calls for value in _values(call)]
        if not identifiers:
            return node
        arguments = f"{ast.unparse(identifiers[0])}, {node.name!r}, globals()"
        rescue = ast.parse(f"with {ROOM}.rescued({arguments}): pass").body[0]
        for part in ast.walk(rescue):
            ast.copy_location(part, node)
        rescue.body = [node]
        return rescue

    visit_FunctionDef = visit_definition  # noqa: N815 - the names that ast looks for
    visit_AsyncFunctionDef = visit_definition  # noqa: N815
    visit_ClassDef = visit_definition  # noqa: N815


def _is_exercise(decorator):
    function = getattr(decorator, "func", None)
    return getattr(function, "id", getattr(function, "attr", None)) == "exercise"


def _values(call):
    return [*call.args, *(keyword.value for keyword in call.keywords)]


@contextmanager
def rescued(identifier, name, namespace):
    """Answer for an attempt whose definition raises or does not end; hand on the reference.

    Parameters
    ----------
    identifier : str
        Such as "06.ring_mask".
    name : str
        What the attempt is called; under the name of the exercise the cells below find it as well.
    namespace : dict
        Where it is defined.
    """
    registered = _registered(identifier)
    try:
        with time_limit(answers.SECONDS):
            yield
    except (KeyboardInterrupt, registry.ExerciseError):
        raise
    except BaseException as error:
        if registered:
            reason = error if isinstance(error, TimeIsUp) else answers.describe(error)
            namespace[name] = missing(identifier, reason)
        elif isinstance(error, registry.UnknownExercise) and not answers.strict():
            print(f"✗ {error}")
        else:
            raise
    if registered:
        namespace[identifier.split(".")[1]] = namespace[name]


def _registered(identifier):
    return identifier in registry.names(registry.number_of(identifier))
