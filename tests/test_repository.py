"""The repository itself: files that must agree, rooms that must be known, the README's promises."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import tokenize
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(name):
    """The pinned versions of a file, by package; of two for different Pythons the last one."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.match(r"([\w.-]+)==([\w.+]+)", line) for line in lines]
    return {pin[1]: pin[2] for pin in found if pin}


LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
LAYOUT |= {tokenize.ENDMARKER}
EXTRAS = PROJECT["project"]["optional-dependencies"]
HACKS = sorted(extra for extra in EXTRAS if re.fullmatch(r"hack\d\d", extra))


def test_binder_has_what_a_notebook_needs_in_the_versions_of_the_course():
    course = pins("requirements.txt")
    binder = pins("binder/requirements.txt")
    local = {name: version.removesuffix("+cpu") for name, version in binder.items()}
    assert local.items() <= course.items()
    light = [f"astro-ai-hacks[{extra}]" for extra in HACKS]
    assert set(light) <= set(EXTRAS["light"]), "a hack's extra is not in the extra light"
    named = PROJECT["project"]["dependencies"] + sum((EXTRAS[extra] for extra in HACKS), [])
    for requirement in [*named, *EXTRAS["light"]]:
        name = re.match(r"[\w.-]+", requirement)[0]
        assert name in binder or name == "astro-ai-hacks", f"{name} is missing: run make lock"


def test_binder_downloads_neither_cuda_nor_what_it_has_itself():
    binder = pins("binder/requirements.txt")
    assert binder["torch"].endswith("+cpu")
    assert not {"jupyterlab", "pycaret", "tensorflow", "dash"} & set(binder)
    assert not [name for name in binder if re.match("cuda|nvidia|triton", name)]
    text = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8")
    assert "--extra-index-url https://download.pytorch.org/whl/cpu\n" in text


def test_cuda_is_pinned_and_brought_by_pytorch_alone():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "\n-c requirements-cuda.txt\n" in text
    course = pins("requirements.txt")
    cuda = pins("requirements-cuda.txt")
    assert cuda and not set(cuda) & set(course)
    assert all(re.match("cuda-|nvidia-|triton$", name) for name in cuda)
    assert not [name for name in course if re.match("cuda-|nvidia-|triton$", name)]


def test_requirements_pin_everything_that_the_project_names():
    known = pins("requirements.txt")
    named = PROJECT["project"]["dependencies"] + sum(EXTRAS.values(), [])
    for requirement in named:
        name, exact = re.match(r"([\w.-]+)(?:\[\w+\])?(?:==([\d.]+))?", requirement).groups()
        if name == PROJECT["project"]["name"]:
            continue
        assert name in known, f"{name} is not in requirements.txt: run make lock"
        fits = exact is None or known[name].startswith(exact.rstrip("."))
        assert fits, f"{name} differs: run make lock"


def test_every_pin_can_be_had_for_the_oldest_python_that_is_promised():
    """Soupsieve's newest wants 3.11.5, which hid on a newer Python: Debian 12 has 3.11.2."""
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line.startswith("soupsieve==")):
        pin, _, marker = line.partition(" ; ")
        assert pin == "soupsieve==2.10" or marker == "python_full_version >= '3.11.5'"
    tool = (ROOT / "tools" / "lock.py").read_text(encoding="utf-8")
    assert 'PYTHON = "3.11.0"' in tool


@pytest.mark.parametrize(
    "path", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda path: path.stem
)
def test_public_names_have_docstrings(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    if {"reference", "checks"} & set(path.parts):
        return
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def docstring_lines(tree):
    """The numbers of all lines that belong to docstrings."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(tree) if isinstance(node, documented)]
    first = [node.body[0] for node in nodes if ast.get_docstring(node) is not None]
    return {line for text in first for line in range(text.lineno, text.end_lineno + 1)}


def test_helpers_can_be_read_on_a_projector():
    """One thing a line: few tokens, and hardly an assignment of several things at once."""
    tokens = lines = assignments = tuples = 0
    for path in (ROOT / "helpers").rglob("*.py"):
        if "reference" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        skipped = docstring_lines(tree)
        found = tokenize.generate_tokens(io.StringIO(source).readline)
        code = [t for t in found if t.type not in LAYOUT and t.start[0] not in skipped]
        tokens += len(code)
        lines += len({token.start[0] for token in code})
        assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
        assignments += len(assigned)
        pairs = [(node.targets[0], node.value) for node in assigned]
        tuples += sum(all(isinstance(part, ast.Tuple) for part in pair) for pair in pairs)
    assert tokens / lines <= 9.5
    assert tuples / assignments <= 0.03


def names_no_encoding(call):
    """Whether a call reads or writes text in the encoding that this machine happens to have."""
    keywords = {keyword.arg for keyword in call.keywords}
    name = getattr(call.func, "attr", "")
    of_text = name in ("read_text", "write_text") or name == "run" and "text" in keywords
    return of_text and "encoding" not in keywords


@pytest.mark.parametrize("folder", ["benchmarks", "helpers", "tests", "tools"])
def test_text_is_read_and_written_in_a_named_encoding(folder):
    """With LC_ALL=C, or on Windows, it would not be UTF-8."""
    found = []
    for path in (ROOT / folder).rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        found += [f"{path.name}:{call.lineno}" for call in calls if names_no_encoding(call)]
    assert found == []


def clean_environment(**extra):
    return {k: v for k, v in os.environ.items() if not k.startswith(("HACK_", "PYTHON"))} | extra


@pytest.fixture(scope="module")
def setup_cell():
    path = min((ROOT / "notebooks").glob("*.ipynb"))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return next(
        "".join(cell["source"]) for cell in cells if "setup" in cell["metadata"].get("tags", [])
    )


AFTER_SETUP = """
from helpers.course import setup
setup("06_cherenkov_rings")
import helpers.subjects.rings
from helpers.datasets.registry import registry
assert registry()
print(helpers.__file__)
"""


def lend_packages(folder):
    """Make a folder with links to all that is installed here, but for the course itself."""
    folder.mkdir()
    sites = [Path(path) for path in sys.path if path.endswith("site-packages")]
    for package in (package for site in sites for package in site.iterdir()):
        link = folder / package.name
        if not re.match("helpers$|astro_ai_hacks|_editable", package.name) and not link.exists():
            link.symlink_to(package)


@pytest.mark.slow
def test_setup_cell_installs_the_course_where_it_is_absent(setup_cell, tmp_path):
    """From a clone by its file:// address; and again, where it then does nothing.

    What the course needs is lent by the environment of the tests, so that nothing comes from the
    network:
    `make test-colab` tries the cell without that.
    """
    clone, empty = tmp_path / "clone", tmp_path / "empty"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    venv.create(empty, with_pip=True)
    python = empty / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    lend_packages(tmp_path / "lent")
    Path(packages.strip(), "lent.pth").write_text(str(tmp_path / "lent"), encoding="utf-8")
    (tmp_path / "helpers").mkdir()  # a folder of that name beside the notebook is not the course
    script = tmp_path / "cell.py"
    script.write_text(setup_cell + AFTER_SETUP, encoding="utf-8")
    # pip reads the last one the other way round: 0 is without isolation, with the lent hatchling
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    settings = offline | {"PYTHONUTF8": "1", "HOME": str(tmp_path)}
    options = {"cwd": tmp_path, "capture_output": True, "encoding": "utf-8"}
    here = clean_environment(HACK_REPO=clone.as_uri(), **settings)
    first = subprocess.run([python, script], env=here, **options)
    assert first.returncode == 0, first.stderr[-2000:]
    assert first.stdout.startswith("Installing the course")
    assert "06_cherenkov_rings · profile demo" in first.stdout
    assert Path(first.stdout.splitlines()[-1]).is_relative_to(empty)
    nowhere = clean_environment(HACK_REPO="file:///nowhere", **settings)
    again = subprocess.run([python, script], env=nowhere, **options)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "Installing" not in again.stdout


def test_setup_cell_settles_how_threads_wait_before_pytorch_comes(setup_cell):
    after = "import os, sys\nprint('torch' in sys.modules, os.environ['OMP_WAIT_POLICY'])"
    command = [sys.executable, "-c", f"{setup_cell}\n{after}"]
    variables = clean_environment(PYTHONPATH=str(ROOT))
    variables.pop("OMP_WAIT_POLICY", None)
    found = subprocess.run(
        command, env=variables, capture_output=True, encoding="utf-8", check=True
    )
    assert found.stdout == "False PASSIVE\n"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_colab_opens_a_notebook_on_a_gpu(path):
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"]["gpuType"] == "T4"


def test_jupyterlab_is_told_not_to_offer_a_build():
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    [(source, target)] = shared.items()
    assert target == "etc/jupyter/labconfig/page_config.json"
    assert json.loads((ROOT / source).read_text(encoding="utf-8")) == {"buildCheck": False}
    assert (Path(sys.prefix) / target).is_file()


def test_another_python_is_told_what_to_install(tmp_path):
    """`make` with a Python that is not 3.11 says so and stops."""
    fake = tmp_path / "python3.9"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18 && exit 0\nexit 1\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    (tmp_path / "tools").mkdir()
    needed = ("requirements.txt", "requirements-cuda.txt", "pyproject.toml", "tools/environment.py")
    for name in ("Makefile", *needed):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    result = subprocess.run(
        ["make", "run", f"PYTHON={fake}"], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert result.returncode != 0
    assert (
        "needs Python 3.11, found: Python 3.9.18" in result.stdout and "Install it" in result.stdout
    )
    assert not (tmp_path / ".venv").exists()
