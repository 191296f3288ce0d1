"""A lesson: questions before answers, guesses before figures, faults to be found."""

import ast

import pytest

from tools import lesson
from tools.listing import time_sentence
from tools.notebooks import participants_notebook, solved_notebook
from tools.reference_module import reference_module
from tools.sources import CourseError, read_hack

SOURCE = '''\
# %% [markdown]
# # 06 Toy rings
#
# {time}
#
# **Question.** How large is a ring?

# %% tags=["setup"]

# %% [markdown]
# ## 1 The data (15 min)
#
# Look.

# %% tags=["predict"]
# How large is it, in pixels?
size_expected = 3.0
# And in which order?
order_expected = ["one",
                  "two"]

# %%
def area(radius):
    """The area.

    Of a disc.
    """
    # in pixels

    return 3.14 * radius**2


# %% [markdown] tags=["seen"]
# It is large.

# %% tags=["exercise", "diagnose"]
@exercise("06.mean")
def mean(values):
    """Return the mean."""
    total = sum(values)
    # BEGIN SOLUTION
    if len(values) == 0:
        return 0.0
    return total / len(values)
    # INSTEAD OF IT
    # if len(values) == 0:
    #     return 0.0
    #
    # return total / (len(values) - 1)
    # END SOLUTION


# %% tags=["exercise", "build"]
@exercise("06.double")
def double(value):
    # BEGIN SOLUTION
    two = 2
    return two * value
    # END SOLUTION


# %% [markdown] tags=["think"]
# ## 2 Think (75 min)
#
# Why is it large?
#
# **Answer.**
#
# Since it is near.

# %% [markdown] tags=["teaching"]
# Say hello first.
'''


@pytest.fixture
def hack(tmp_path):
    return read(tmp_path, SOURCE)


def read(folder, source):
    path = folder / "solutions" / "06_toy_rings.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return read_hack(path, folder)


def sources(notebook):
    return [cell.source for cell in notebook.cells]


@pytest.fixture
def hers(hack):
    return participants_notebook(hack, {"time": "soon"}, "", "address")


@pytest.fixture
def ours(hack):
    return solved_notebook(hack, {"time": "soon"}, "", "address")


def test_what_was_seen_is_folded_for_participants_and_open_in_the_solved_notebook(hers, ours):
    folded = next(source for source in sources(hers) if "It is large." in source)
    assert folded.startswith("<details>\n<summary>") and folded.endswith("\n\n</details>")
    assert (
        "\n\nIt is large.\n\n" in folded
    )  # blank lines: else viewers show Markdown as it is written
    assert "It is large." in sources(ours)


def test_a_question_is_open_has_a_place_for_her_answer_and_ours_is_folded(hers, ours):
    place = next(i for i, source in enumerate(sources(hers)) if "Why is it large?" in source)
    question, yours, answer = sources(hers)[place : place + 3]
    assert "Since it is near." not in question
    assert yours == lesson.YOURS
    assert answer.startswith("<details>") and "Since it is near." in answer
    whole = next(source for source in sources(ours) if "Why is it large?" in source)
    assert "**Our answer.**" in whole and "Since it is near." in whole
    assert len({cell.id for cell in hers.cells}) == len(hers.cells)


def test_a_guess_is_hers_to_write(hers, ours):
    asked = next(source for source in sources(hers) if "size_expected" in source)
    lines = ["# How large is it, in pixels?", f"size_expected = {lesson.GUESS}"]
    lines += ["# And in which order?", f"order_expected = {lesson.GUESS}"]
    assert asked.split("\n") == lines
    assert ast.parse(asked)
    assert any("size_expected = 3.0" in source for source in sources(ours))


def test_a_fault_to_be_found_is_code_that_runs(hack, hers, ours):
    given = next(source for source in sources(hers) if 'exercise("06.mean")' in source)
    assert "return total / (len(values) - 1)" in given and "NotImplementedError" not in given
    scope = {"exercise": lambda name: lambda function: function}
    exec(given, scope)
    assert scope["mean"]([1, 2, 3]) == 3 and scope["mean"]([]) == 0
    solved = next(source for source in sources(ours) if 'exercise("06.mean")' in source)
    assert "INSTEAD" not in solved and "# if" not in solved
    exec(solved, scope)
    assert scope["mean"]([1, 2, 3]) == 2
    module = reference_module(hack)
    assert "INSTEAD" not in module
    exec(module, scope)
    assert scope["mean"]([1, 2, 3]) == 2
    assert scope["mean_as_given"]([1, 2, 3]) == 3  # for the checks, which know it again


def test_what_is_for_teachers_stands_in_no_notebook(hers, ours):
    assert not any("Say hello" in source for source in sources(hers) + sources(ours))


def test_how_an_exercise_answers_is_said_once_before_the_first(hers, ours):
    for notebook in (hers, ours):
        protocol = [i for i, cell in enumerate(notebook.cells) if cell.id == "protocol"]
        assert len(protocol) == 1
        assert "06.mean" in notebook.cells[protocol[0] + 1].source
        assert 'hint("06.mean")' in notebook.cells[protocol[0]].source


def test_the_header_tells_her_time_from_the_computers(hack):
    assert lesson.minutes(hack) == [("1 The data", 15), ("2 Think", 75)]
    said = time_sentence({"demo": 4.1}, lesson.minutes(hack))
    assert "You: about 1 h 30 min." in said and "`demo` 4.1 min" in said
    assert "You: about 2 to 3 hours." in time_sentence({})


def test_lines_questions_and_guesses_are_counted(hack):
    counted = lesson.count(hack)
    # area 2; guesses 3; mean: @, def, total, if, return, return; double: @, def, two, return
    assert (counted.lines, counted.hers) == (2 + 3 + 6 + 4, 1 + 2)
    assert counted.kinds == {"build": 1, "diagnose": 1, "decide": 0, "compute": 0}
    assert (counted.think, counted.predict) == (1, 1)
    assert counted.share == 3 / 15
    assert lesson.is_lesson(hack)
    assert "20.0%" in lesson.table([hack])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# **Answer.**\n", "# Answer.\n", "needs one line"),
        ("# It is large.", "# ## It is large", "heading in a folded text"),
        ('[markdown] tags=["seen"]', 'tags=["seen"]', "not plain Python|tag of texts"),
        ("    # INSTEAD OF IT\n", "", "give the code that is wrong"),
        ('tags=["exercise", "build"]', 'tags=["build"]', "tag of exercises"),
        ("size_expected = 3.0", "print(3.0)", "only gives our guesses"),
    ],
)
def test_what_a_tag_asks_for_must_be_there(tmp_path, old, new, said):
    assert old in SOURCE
    with pytest.raises(CourseError, match=said):
        read(tmp_path, SOURCE.replace(old, new, 1))
