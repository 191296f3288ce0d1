"""The generator, on a course of one toy hack: what it writes, refuses, keeps and reports."""

import base64
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from helpers.exercises.answers import STUB
from tools import generate
from tools.listing import PLANNED, read_minutes, record_minutes
from tools.notebooks import EXPERIMENT, SETUP
from tools.sources import CourseError, read_hacks

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
OTHER_PIXEL = PIXEL.replace("k+M9Q", "k+M8Q")
NOT_ITS_OWN = "its outputs are not those of its execution"
SOURCE = f'''\
# %% [markdown]
# # 06 Toy rings
#
# {{badges}}
#
# {{time}}
#
# **Question.** How large
# is a ring?

# %% tags=["setup"]

# %%
import base64
import math
import os.path
from functools import lru_cache, partial

from IPython.display import Image, display

from helpers.exercises import exercise

# %% tags=["reference"]
SCALE = 2.0


@lru_cache
def doubled(value):
    return SCALE * value


# %% tags=["exercise"]
@exercise("06.area")
def area(radius):
    """The area of a disc."""
    square = radius**2
    # BEGIN SOLUTION
    return math.pi * square
    # END SOLUTION


# %% [markdown]
# Look at the ring.

# %% tags=["exercise"]
@exercise("06.ring")
class Ring:
    """A ring."""

    def __init__(self, radius):
        # BEGIN SOLUTION
        self.radius = radius
        # END SOLUTION

    def area(self):
        if self.radius:
            # BEGIN SOLUTION
            return area(doubled(self.radius))
            # END SOLUTION
        return 0.0


# %%
print(partial(area, 1.0)(), os.path.sep)

# %% tags=["gallery"]
display(Image(data=base64.b64decode("{PIXEL}")))

# %% [markdown] tags=["answer"]
# A large ring is large.

# %% tags=["answer"]
print(Ring(3).area())

# %%
print("the end")

# %%
print("the end")

# %% tags=["answer"]
print("another answer")
'''


@pytest.fixture
def course(tmp_path):
    """A course of one hack, of which nothing is generated yet."""
    return build(tmp_path / "course")


def build(root):
    files = {
        "solutions/06_toy_rings.py": SOURCE,
        "helpers/__init__.py": "",
        "helpers/cores.py": "def share():\n    pass\n",
        "helpers/exercises.py": "def exercise(name):\n    return lambda thing: thing\n",
        "pyproject.toml": '[project]\nname = "course"\n[project.urls]\nRepository = "https://github.com/someone/course"\n',
        "README.md": "# Toy\n\n<!-- hacks:begin -->\nold\n<!-- hacks:end -->\n\nThe end.\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def executed_once(tmp_path_factory):
    root = build(tmp_path_factory.mktemp("executed") / "course")
    generate.generate(root)
    return root


@pytest.fixture
def executed(executed_once, tmp_path):
    """The same course, generated and executed."""
    return shutil.copytree(executed_once, tmp_path / "course")


def edit(root, old, new, name="solutions/06_toy_rings.py"):
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def cells(root, folder, kind="code"):
    notebook = nbformat.read(root / folder / "06_toy_rings.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def sources(root, folder, kind="code"):
    return [cell.source for cell in cells(root, folder, kind)]


def contents(root):
    paths = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path: path.read_bytes() for path in paths}


def no_execution(monkeypatch):
    monkeypatch.setattr(
        generate, "execute", lambda *_, **__: pytest.fail("a notebook was executed")
    )


def test_a_participant_finds_a_stub_for_each_block(course):
    generate.generate(course, mode="never")
    area, ring = (source for source in sources(course, "notebooks") if "@exercise" in source)
    assert area == (
        '@exercise("06.area")\n'
        "def area(radius):\n"
        '    """The area of a disc."""\n'
        "    square = radius**2\n"
        '    # Your code here; hint("06.area") helps.\n'
        f'    raise NotImplementedError("{STUB}")'
    )
    assert ring.count(f'raise NotImplementedError("{STUB}")') == 2
    assert '            # Your code here; hint("06.ring") helps.\n            raise' in ring
    assert ring.endswith("        return 0.0")
    text = (course / "notebooks/06_toy_rings.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "math.pi" not in text and "self.radius = radius" not in text


def test_the_solved_notebook_holds_the_solutions_without_markers(course):
    generate.generate(course, mode="never")
    area, ring = (source for source in sources(course, "solutions") if "@exercise" in source)
    assert area.endswith("    square = radius**2\n    return math.pi * square")
    assert "            return area(doubled(self.radius))\n        return 0.0" in ring
    assert "SOLUTION" not in (course / "solutions/06_toy_rings.ipynb").read_text(encoding="utf-8")


def test_a_run_of_answers_becomes_one_experiment(course):
    generate.generate(course, mode="never")
    plain, solved = sources(course, "notebooks"), sources(course, "solutions")
    assert plain[-4:] == [EXPERIMENT, 'print("the end")', 'print("the end")', EXPERIMENT]
    assert plain.count(EXPERIMENT) == 2
    assert "A large ring is large." not in sources(course, "notebooks", "markdown")
    assert "A large ring is large." in sources(course, "solutions", "markdown")
    assert 'print("another answer")' in solved and EXPERIMENT not in solved


def test_the_set_up_cell_is_the_fixed_text_with_this_address(course):
    generate.generate(course, mode="never")
    plain, solved = sources(course, "notebooks")[0], sources(course, "solutions")[0]
    address = "https://github.com/someone/course"
    assert plain == solved == SETUP.replace("EXTRA", "").replace("ADDRESS", address)
    assert 'f"git+{address}"' in plain and max(map(len, plain.split("\n"))) <= 100
    compile(plain, "set-up", "exec")


def test_the_set_up_cell_asks_for_what_this_hack_alone_needs(course):
    project = course / "pyproject.toml"
    extras = "\n[project.optional-dependencies]\nhack06 = ['rings']\nhack07 = ['galaxies']\n"
    project.write_text(project.read_text(encoding="utf-8") + extras, encoding="utf-8")
    generate.generate(course, mode="never")
    name = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]
    assert f'f"{name}[hack06] @ git+{{address}}"' in sources(course, "notebooks")[0]


def test_the_header_shows_badges_and_measured_minutes(course):
    record_minutes(course, "ci", {"06_toy_rings": 0.44})
    generate.generate(course, mode="never")
    header = sources(course, "notebooks", "markdown")[0]
    assert (
        "https://mybinder.org/v2/gh/someone/course/HEAD?labpath=notebooks/06_toy_rings.ipynb"
        in header
    )
    colab = "https://colab.research.google.com/github/someone/course/blob/main/notebooks/06_toy_rings.ipynb"
    assert colab in header
    assert (
        "`ci` 0.4 min, `demo` not measured" in header and "on 2 CPU cores, without a GPU" in header
    )
    assert "{badges}" not in header and "{time}" not in header


def test_the_reference_module_works_and_imports_only_what_it_uses(course):
    generate.generate(course, mode="never")
    path = course / "helpers/reference/hack06.py"
    spec = importlib.util.spec_from_file_location("toy_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.area(1.0) == pytest.approx(3.14159265)
    assert module.Ring(1.0).area() == pytest.approx(4 * 3.14159265)
    lines = path.read_text(encoding="utf-8").split("\n")
    imports = [line for line in lines if line.startswith(("import", "from"))]
    assert imports == ["import math", "from functools import lru_cache"]
    assert "06_toy_rings.py" in lines[0] and "never edited" in lines[0]
    ruff, settings = (
        [sys.executable, "-m", "ruff"],
        ["--isolated", "--line-length", "110", str(path)],
    )
    subprocess.run([*ruff, "check", "--no-cache", "--select", "E,F,I,UP,B", *settings], check=True)
    subprocess.run([*ruff, "format", "--no-cache", "--check", *settings], check=True)


def test_the_reference_module_lacks_nothing(course):
    edit(course, '# %% tags=["reference"]\nSCALE', "# %%\nSCALE")
    with pytest.raises(
        CourseError, match=r'rings.py:\d+: Ring uses `doubled` of line \d+.*"reference"'
    ):
        generate.generate(course, mode="never")
    edit(course, "doubled(self", "tripled(self")
    with pytest.raises(
        CourseError, match="Ring uses `tripled`, which the notebook neither imports nor"
    ):
        generate.generate(course, mode="never")


AREA = '@exercise("06.area")\n'
RETURN = "    # BEGIN SOLUTION\n    return math.pi * square\n    # END SOLUTION\n"


CLASS_BODY = "    # BEGIN SOLUTION\n    size = 1\n    # END SOLUTION\n"
SPLIT = (
    RETURN.replace("return math.pi * square", "if square:\n        pass")
    + "    else:\n        pass\n"
)
DEFINITION = "def area(radius):"


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        (AREA, "", DEFINITION, r'area needs the decorator @exercise\("06.name"\)'),
        (AREA, "@exercise()\n", "@exercise()", "area needs the decorator"),
        (AREA, '@exercise("05.area")\n', "05.area", 'the id "05.area" should read "06.name"'),
        ("06.ring", "06.area", AREA, r"06.area is already the exercise of line \d+"),
        ("class Ring:", "class area:", "06.ring", r"area is already the exercise of line \d+"),
        (RETURN, RETURN.replace("    # END SOLUTION\n", ""), "# BEGIN", "# BEGIN SOLUTION without"),
        (RETURN, RETURN.replace("    # BEGIN SOLUTION\n", ""), "# END", "# END SOLUTION without"),
        (
            RETURN,
            "    # BEGIN SOLUTION\n" + RETURN,
            "# BEGIN",
            r"before the # END SOLUTION of line \d+",
        ),
        (RETURN, RETURN.replace("    # END", "# END"), "# END", "not indented like"),
        (RETURN, "    return 1\n", AREA, "needs its solution between"),
        (RETURN, RETURN + "\n\ndef more():\n    return 1\n", AREA, "exactly one function or class"),
        (RETURN, SPLIT, AREA, "area without its solution is not valid Python"),
        (
            '    """A ring."""\n',
            CLASS_BODY,
            "06.ring",
            "Ring a solution stands outside of a method",
        ),
        (
            '# %% tags=["exercise"]\n' + AREA,
            "# %%\n" + AREA,
            AREA,
            r'marked # %% tags=\["exercise"\]',
        ),
        ('print("the end")', "# BEGIN SOLUTION", "# BEGIN", r'marked # %% tags=\["exercise"\]'),
        ('tags=["gallery"]', 'tags=["galery"]', "display(", "unknown tag 'galery'"),
        ('tags=["reference"]', 'tags=["gallery"]', "display(", '2 cells are tagged "gallery"'),
        ('tags=["setup"]\n', 'tags=["setup"]\nimport os\n', "import os", "leave its body empty"),
        ('# %% tags=["setup"]\n', "# %%\n", "# %%", '0 cells are tagged "setup"'),
        ('print("the end")', 'print("the end")\n!ls', "!ls", "not plain Python"),
        ("**Question.** ", "", "# %%", r"a paragraph that begins with \*\*Question"),
        ("SCALE = 2.0", "SCALE = 2.0\nprint(SCALE)", "print(SCALE)", "holds only definitions"),
    ],
)
def test_a_malformed_source_is_refused_at_its_line(course, old, new, at, message):
    edit(course, old, new)
    with pytest.raises(CourseError, match=message) as caught:
        generate.generate(course, mode="never")
    file, line, _ = str(caught.value).split(":", 2)
    assert file == "solutions/06_toy_rings.py"
    assert at.strip() in (course / file).read_text(encoding="utf-8").split("\n")[int(line) - 1]
    assert not (course / "notebooks").exists()


def test_a_string_that_looks_like_a_cell_is_told(course):
    edit(course, 'print("the end")', 'print("""\n# %%\n""")')
    with pytest.raises(CourseError, match="06_toy_rings.py: expected '# %%' only where a cell"):
        read_hacks(course)


def test_sources_need_names_and_numbers_of_their_own(course):
    shutil.copy(course / "solutions/06_toy_rings.py", course / "solutions/06_another.py")
    with pytest.raises(
        CourseError, match="06_another.py and solutions/06_toy_rings.py have the same number"
    ):
        read_hacks(course)
    (course / "solutions/06_another.py").rename(course / "solutions/another.py")
    with pytest.raises(CourseError, match="solutions/another.py: a source is called NN_name.py"):
        read_hacks(course)


def test_a_source_that_is_not_utf8_is_refused(course):
    (course / "solutions/06_toy_rings.py").write_bytes(
        SOURCE.replace("large", "gro\xdf").encode("latin-1")
    )
    with pytest.raises(CourseError, match="solutions/06_toy_rings.py: expected UTF-8"):
        read_hacks(course)


def test_the_solved_notebook_is_executed_and_says_so(executed):
    notebook = nbformat.read(executed / "solutions/06_toy_rings.ipynb", as_version=4)
    assert notebook.metadata.astro_ai_hacks.source_sha256 == read_hacks(executed)[0].sha256
    assert notebook.metadata.astro_ai_hacks.profile == "demo"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(isinstance(cell.metadata.seconds, float) for cell in code)
    assert code[-4].outputs[0].text == "113.09733552923255\n"
    assert all(not cell.outputs for cell in cells(executed, "notebooks"))
    assert "demo" in read_minutes(executed)["06_toy_rings"]
    assert (executed / "docs/gallery/06_toy_rings.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_changes_nothing(executed, monkeypatch):
    before = contents(executed)
    no_execution(monkeypatch)
    assert generate.generate(executed) == []
    assert contents(executed) == before
    assert generate.stale(executed) == []


def test_a_change_leaves_the_ids_and_outputs_of_other_cells(executed):
    ids = [cell.id for cell in cells(executed, "solutions")]
    assert len(set(ids)) == len(ids)
    edit(executed, "print(Ring(3).area())", "print(Ring(4).area())")
    generate.generate(executed, mode="never")
    after = [cell.id for cell in cells(executed, "solutions")]
    assert [a == b for a, b in zip(ids, after, strict=True)].count(False) == 1
    by_source = {cell.source: cell for cell in cells(executed, "solutions")}
    assert by_source['print("another answer")'].outputs[0].text == "another answer\n"
    assert by_source["print(Ring(4).area())"].outputs == []
    lines = generate.stale(executed)
    assert lines == ["solutions/06_toy_rings.ipynb: not executed since its code changed"]


def test_a_changed_source_is_executed_again(executed):
    edit(executed, 'print("another answer")', 'print("a better answer")')
    generate.generate(executed)
    assert cells(executed, "solutions")[-1].outputs[0].text == "a better answer\n"
    assert generate.stale(executed) == []


def test_a_new_address_reaches_every_file_without_an_execution(executed, monkeypatch):
    no_execution(monkeypatch)
    assert generate.main(["--root", str(executed), "--repo", "else.where/our-course"]) == 0
    texts = {
        path: text.decode() for path, text in contents(executed).items() if path.suffix != ".png"
    }
    assert not any("someone/course" in text for text in texts.values())
    notebooks = "notebooks/06_toy_rings.ipynb", "solutions/06_toy_rings.ipynb"
    for name in "pyproject.toml", *notebooks:
        assert "https://github.com/else.where/our-course" in texts[executed / name]
    for name in "README.md", *notebooks:
        assert "https://mybinder.org/v2/gh/else.where/our-course/HEAD" in texts[executed / name]
        assert "colab.research.google.com/github/else.where/our-course/" in texts[executed / name]
    assert cells(executed, "solutions")[-1].outputs[0].text == "another answer\n"
    assert generate.stale(executed) == []


def test_an_address_that_is_none_is_refused(executed, capsys):
    before = contents(executed)
    assert generate.main(["--root", str(executed), "--repo", "https://github.com/a/b"]) == 1
    assert "give it as owner/name" in capsys.readouterr().err
    assert contents(executed) == before


def remove_reference(root):
    (root / "helpers/reference/hack06.py").unlink()


def edit_reference(root):
    edit(root, "math.pi", "3.0", "helpers/reference/hack06.py")


def edit_participants(root):
    edit(root, "Look at the ring.", "Look away.", "notebooks/06_toy_rings.ipynb")


def edit_solved(root):
    edit(root, "Look at the ring.", "Look away.", "solutions/06_toy_rings.ipynb")


def edit_table(root):
    edit(root, "Toy rings", "Rings of toys", "README.md")


def change_code(root):
    edit(root, "square = radius**2", "square = radius * radius")


def change_prose(root):
    edit(root, "Look at the ring.", "Look away.")


def change_minutes(root):
    record_minutes(root, "full", {"06_toy_rings": 3.0})


def forget_execution(root):
    path = root / "solutions/06_toy_rings.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
    path.write_text(
        json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )


def leave_error(root):
    path = root / "solutions/06_toy_rings.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].outputs = [
        nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    ]
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def edit_output(root, change):
    """Let `change` loose on the code cells of the executed notebook, by their source."""
    path = root / "solutions/06_toy_rings.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change({cell.source: cell for cell in notebook.cells if cell.cell_type == "code"})
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def edit_printed_number(root):
    def change(cells):
        cells["print(Ring(3).area())"].outputs[0].text = "113.1\n"

    edit_output(root, change)


def exchange_figure(root):
    def change(cells):
        (cell,) = (cell for source, cell in cells.items() if source.startswith("display("))
        cell.outputs[0].data["image/png"] = OTHER_PIXEL

    edit_output(root, change)
    (root / "docs/gallery/06_toy_rings.png").write_bytes(base64.b64decode(OTHER_PIXEL))


def exchange_order(root):
    def change(cells):
        first, second = list(cells.values())[-2:]
        counts = first.execution_count, second.execution_count
        second.execution_count, first.execution_count = counts

    edit_output(root, change)


def show_a_path(root):
    def change(cells):
        cells["print(Ring(3).area())"].outputs[0].text = f"{root}/data\n"

    edit_output(root, change)


def remove_markers(root):
    edit(root, "<!-- hacks:end -->", "", "README.md")


def remove_picture(root):
    (root / "docs/gallery/06_toy_rings.png").unlink()


def test_new_prose_is_taken_over_without_executing_again(executed, monkeypatch):
    monkeypatch.setattr(generate, "execute_solved", lambda *_: pytest.fail("executed"))
    change_prose(executed)
    assert generate.main(["--root", str(executed)]) == 0
    assert "Look away." in (executed / "solutions/06_toy_rings.ipynb").read_text(encoding="utf-8")
    assert generate.main(["--root", str(executed), "--check"]) == 0


@pytest.mark.parametrize(
    ("spoil", "report"),
    [
        (remove_reference, "helpers/reference/hack06.py: missing"),
        (edit_reference, "helpers/reference/hack06.py: differs"),
        (edit_participants, "notebooks/06_toy_rings.ipynb: differs"),
        (edit_solved, "solutions/06_toy_rings.ipynb: differs"),
        (edit_table, "README.md: differs"),
        (change_code, "solutions/06_toy_rings.ipynb: not executed since its code changed"),
        (change_prose, "solutions/06_toy_rings.ipynb: differs"),
        (change_minutes, "notebooks/06_toy_rings.ipynb: differs"),
        (forget_execution, "solutions/06_toy_rings.ipynb: not executed to its end"),
        (leave_error, "solutions/06_toy_rings.ipynb: an output is an error"),
        (edit_printed_number, f"solutions/06_toy_rings.ipynb: {NOT_ITS_OWN}"),
        (exchange_figure, f"solutions/06_toy_rings.ipynb: {NOT_ITS_OWN}"),
        (exchange_order, f"solutions/06_toy_rings.ipynb: {NOT_ITS_OWN}"),
        (show_a_path, "solutions/06_toy_rings.ipynb: 06_toy_rings: an output of `print(Ring(3)"),
        (
            remove_markers,
            "README.md: <!-- hacks:begin --> and <!-- hacks:end -->, a line each, are gone",
        ),
        (remove_picture, "docs/gallery/06_toy_rings.png: missing"),
    ],
)
def test_check_reports_what_is_stale_and_writes_nothing(executed, capsys, spoil, report):
    assert generate.main(["--root", str(executed), "--check"]) == 0
    spoil(executed)
    before = contents(executed)
    capsys.readouterr()
    assert generate.main(["--root", str(executed), "--check"]) == 1
    said = capsys.readouterr().out.strip().split("\n")
    assert any(line.startswith(report) for line in said[:-1])
    assert said[-1] == "run: make notebooks"
    assert contents(executed) == before


def test_what_lost_its_source_is_reported_and_removed(executed):
    (executed / "solutions/06_toy_rings.py").rename(executed / "solutions/08_toy_rings.py")
    edit(executed, "06.area", "08.area", "solutions/08_toy_rings.py")
    edit(executed, "06.ring", "08.ring", "solutions/08_toy_rings.py")
    hidden = executed / "notebooks/.ipynb_checkpoints/06_toy_rings-checkpoint.ipynb"
    mine = [
        executed / "notebooks" / name
        for name in ("06_toy_rings-Copy1.ipynb", "old/06_toy_rings.ipynb")
    ]
    for path in hidden, *mine:
        path.parent.mkdir(exist_ok=True)
        shutil.copy(executed / "notebooks/06_toy_rings.ipynb", path)
    mine += [executed / "docs/gallery/draft.png", executed / "helpers/reference/more.py"]
    for path in mine[-2:]:
        path.write_bytes(b"")
    strange = executed / "notebooks/09_by_hand.ipynb"
    strange.write_text("{}", encoding="utf-8")
    orphans = [
        "solutions/06_toy_rings.ipynb",
        "notebooks/06_toy_rings.ipynb",
        "docs/gallery/06_toy_rings.png",
        "helpers/reference/hack06.py",
    ]
    lines = generate.stale(executed)
    assert {f"{name}: it has no source" for name in orphans} <= set(lines)
    for path in strange, *mine:
        assert f"{path.relative_to(executed)}: it has no source: remove it by hand" in lines
    assert not any("checkpoint" in line for line in lines)
    generate.generate(executed, mode="never")
    assert not any((executed / name).exists() for name in orphans)
    assert all(path.exists() for path in (strange, hidden, *mine))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            'raise ValueError("no such ring")',
            r"code cell 7 of 11 failed \(raise.*ValueError: no such ring",
        ),
        ("import os; os._exit(1)", "code cell 7 of 11 failed .*the kernel died"),
        ("print(os.path.abspath('..'))", "an output of .*abspath.* shows /.*, a path"),
        (
            "display({'text/plain': '<Figure size 1x1>'}, raw=True)",
            "output of `display.* was not drawn",
        ),
        ("pass", 'the cell tagged "gallery" shows no figure'),
    ],
)
def test_a_failed_execution_leaves_the_previous_notebook(executed, capsys, cell, message):
    notebook = executed / "solutions/06_toy_rings.ipynb"
    before, minutes = notebook.read_bytes(), read_minutes(executed)
    gallery = f'display(Image(data=base64.b64decode("{PIXEL}")))'
    edit(executed, gallery, cell)
    assert generate.main(["--root", str(executed)]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert notebook.read_bytes() == before
    assert read_minutes(executed) == minutes
    assert not list(executed.rglob("*.part"))


def test_the_table_lists_hacks_and_those_to_come(executed):
    readme = (executed / "README.md").read_text(encoding="utf-8")
    assert (
        readme.startswith("# Toy\n") and readme.endswith("\nThe end.\n") and "\nold\n" not in readme
    )
    (row,) = (line for line in readme.split("\n") if line.startswith("| 06 |"))
    minutes = read_minutes(executed)["06_toy_rings"]["demo"]
    assert f"**Toy rings**<br>How large is a ring? | {minutes} |" in row
    assert "(notebooks/06_toy_rings.ipynb)" in row and "(solutions/06_toy_rings.ipynb)" in row
    coming = [line for line in readme.split("\n") if "coming" in line]
    assert [line[2:4] for line in coming] == [number for number in PLANNED if number != "06"]


def test_a_readme_without_markers_is_left_alone(course):
    (course / "README.md").write_text("# Mine\n", encoding="utf-8")
    generate.generate(course, mode="never")
    assert (course / "README.md").read_text(encoding="utf-8") == "# Mine\n"


def test_one_hack_can_be_chosen(course):
    other = SOURCE.replace("06", "02").replace("Toy rings", "Toy squares")
    (course / "solutions/02_toy_squares.py").write_text(other, encoding="utf-8")
    generate.generate(course, "2", mode="never")
    assert [path.name for path in (course / "notebooks").iterdir()] == ["02_toy_squares.ipynb"]
    with pytest.raises(CourseError, match="HACK=05: there is 02, 06"):
        generate.generate(course, "05", mode="never")


def test_the_generator_runs_as_a_script(executed):
    tool = Path(generate.__file__)
    command = [sys.executable, str(tool), "--check", "--root", str(executed)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=executed.parent)
    assert (done.returncode, done.stdout) == (0, "everything generated is up to date\n"), (
        done.stderr
    )
