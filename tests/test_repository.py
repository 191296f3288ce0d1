"""The repository itself: files that must agree, rooms that must be known, the README's promises."""

import ast
import os
import re
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["environment.yml", "requirements.txt"])
def test_binder_reads_the_same_as_the_root(name):
    assert (ROOT / "binder" / name).read_bytes() == (ROOT / name).read_bytes()


def test_requirements_pin_everything_that_the_project_names():
    pins = dict(
        line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")
    )
    named = PROJECT["project"]["dependencies"] + sum(PROJECT["project"]["optional-dependencies"].values(), [])
    for requirement in named:
        name, exact = re.match(r"([\w.-]+)(?:==([\d.]+))?", requirement).groups()
        assert name in pins, f"{name} is not in requirements.txt: run make lock"
        assert exact is None or pins[name].startswith(exact.rstrip(".")), f"{name} differs: run make lock"


def test_every_room_of_helpers_is_under_the_import_rules():
    rooms = {path.stem for path in (ROOT / "helpers").iterdir() if path.suffix == ".py" or path.is_dir()}
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    known = {room.strip() for layer in layers for room in re.split("[:|]", layer)}
    assert rooms - {"__init__", "__pycache__"} == known
    subjects = {room for room in rooms if (ROOT / "helpers" / room / "data.py").exists()}
    assert {f"helpers.{room}" for room in subjects} == set(PROJECT["tool"]["importlinter"]["contracts"][1]["modules"])


@pytest.mark.parametrize("path", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda path: path.stem)
def test_modules_are_short_and_public_names_have_docstrings(path):
    source = path.read_text()
    if "reference" not in path.parts:
        assert source.count("\n") <= 350
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    if "reference" in path.parts or path.stem.endswith("checks"):
        return
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def clean_environment(**extra):
    return {k: v for k, v in os.environ.items() if not k.startswith(("HACK_", "PYTHON"))} | extra


@pytest.mark.slow
def test_setup_cell_installs_the_course_where_it_is_absent(tmp_path):
    """In an empty environment, from a clone by its file:// address; and again, where it then does nothing."""
    import nbformat

    notebook = nbformat.read(next((ROOT / "notebooks").glob("*.ipynb")), as_version=4)
    cell = next(cell.source for cell in notebook.cells if "setup" in cell.metadata.get("tags", []))
    clone, empty = tmp_path / "clone", tmp_path / "empty"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    venv.create(empty, with_pip=True)
    python = empty / ("Scripts" if os.name == "nt" else "bin") / "python"
    script = tmp_path / "cell.py"
    after = "\nfrom helpers.course import setup\nsetup('06_cherenkov_rings')\nimport helpers.rings\nfrom helpers.datasets import registry\nassert registry()\nprint(helpers.__file__)\n"
    script.write_text(cell + after)
    # The versions are those of the course, so that no newer and larger ones are fetched for the test.
    environment = clean_environment(HACK_REPO=clone.as_uri(), PIP_CONSTRAINT=str(ROOT / "requirements.txt"))
    first = subprocess.run([python, script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr[-2000:]
    assert "06_cherenkov_rings · profile demo" in first.stdout
    assert Path(first.stdout.splitlines()[-1]).is_relative_to(empty)
    nowhere = clean_environment(HACK_REPO="file:///nowhere", PIP_NO_INDEX="1")
    again = subprocess.run([python, script], cwd=tmp_path, env=nowhere, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr[-2000:]


def test_another_python_is_told_what_to_install(tmp_path):
    """`make` with a Python that is not 3.11 says so and stops."""
    fake = tmp_path / "python3.9"
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18 && exit 0\nexit 1\n')
    fake.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    result = subprocess.run(["make", "run", f"PYTHON={fake}"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode != 0
    assert "needs Python 3.11, found: Python 3.9.18" in result.stdout and "Install it" in result.stdout
    assert not (tmp_path / ".venv").exists()
