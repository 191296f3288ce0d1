"""The tool that makes environments: which builds it takes, and what it says of them."""

import json
import subprocess
import sys

import pytest

from tools import environment


@pytest.fixture
def commands(monkeypatch):
    """Record what would be run."""
    found = []
    monkeypatch.setattr(
        environment, "run", lambda *command, **_: found.append([*map(str, command)])
    )
    return found


@pytest.fixture
def linux(monkeypatch):
    """An Intel machine with Linux and without an NVIDIA card, whatever this one is."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(environment.os, "uname", lambda: type("Name", (), {"machine": "x86_64"}))
    monkeypatch.setattr(environment, "NVIDIA", ())
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    monkeypatch.delenv("TORCH", raising=False)


@pytest.mark.parametrize(
    ("wish", "card", "expected"),
    [("", False, True), ("", True, False), ("cpu", True, True), ("cuda", False, False)],
)
def test_cuda_is_left_out_where_no_card_is_seen(linux, monkeypatch, tmp_path, wish, card, expected):
    monkeypatch.setenv("TORCH", wish)
    if card:
        monkeypatch.setattr(environment, "NVIDIA", (tmp_path,))
    assert environment.without_cuda() == expected


def test_other_systems_have_one_build(linux, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not environment.without_cuda()


def test_an_unknown_build_is_refused_in_one_sentence(linux, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TORCH", "rocm")
    monkeypatch.setattr(environment, "run", lambda *_, **__: None)
    assert environment.main(["course", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "expected TORCH=cpu or TORCH=cuda, found TORCH=rocm\n"


@pytest.mark.parametrize("reachable", [True, False])
def test_the_course_without_cuda(linux, monkeypatch, tmp_path, commands, capsys, reachable):
    monkeypatch.setattr(environment, "reachable", lambda address: reachable)
    environment.course(tmp_path)
    _, torch, other, packages, course = commands
    assert other[-1] == "tensorflow" and "uninstall" in other
    assert torch[-1] == "torch==2.13.0"
    assert (environment.CPU_INDEX in torch) == reachable
    said = capsys.readouterr().out
    assert ("without CUDA" in said) == reachable and ("cannot be reached" in said) != reachable
    assert packages[-2:] == ["-r", str(tmp_path / "requirements.txt")]
    lines = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("tensorflow")][0].startswith(
        "tensorflow-cpu=="
    )
    constraints = environment.ROOT / "requirements-cuda.txt"
    assert f"-c {constraints.as_uri()}" in lines
    assert course[-3:] == ["--no-deps", "-e", str(environment.ROOT)]


def test_the_course_with_cuda(linux, monkeypatch, tmp_path, commands):
    monkeypatch.setenv("TORCH", "cuda")
    environment.course(tmp_path)
    assert not [command for command in commands if environment.CPU_INDEX in command]
    assert "tensorflow-cpu" not in (tmp_path / "requirements.txt").read_text(encoding="utf-8")


def test_colab_gets_its_own_versions_of_what_the_course_meets(
    linux, monkeypatch, tmp_path, commands
):
    monkeypatch.setattr(environment, "find_python", lambda wanted: f"python{wanted}")
    monkeypatch.setattr(environment, "reachable", lambda address: False)
    environment.colab(tmp_path)
    made, torch, packages = commands
    assert made[0] == "python3.13"
    assert torch[-1].startswith("torch==2.")
    assert {"numpy", "ipywidgets", "keras", "tensorflow-cpu"} <= set(packages)
    assert not {"galsim", "lightning-fabric", "pycaret"} & set(packages), (
        "Colab does not have these"
    )
    pinned = (tmp_path / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "numpy==2.1.3" in pinned and "ipywidgets==7.7.1" in pinned
    assert not [line for line in pinned if line.startswith(("nvidia-", "cuda-", "triton=="))]


def test_what_a_hack_alone_needs_is_among_the_requirements():
    assert {"galsim", "torch", "numpy"} <= set(environment.requirements())


def test_without_that_python_the_nearest_is_taken_and_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    assert environment.find_python("3.99") == sys.executable
    assert "there is no Python 3.99 on this machine" in capsys.readouterr().out


def test_a_python_that_is_only_a_name_is_passed_over(monkeypatch, tmp_path):
    fake = tmp_path / "python3.99"
    fake.write_text("#!/bin/sh\necho no such version >&2; exit 127\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(environment.shutil, "which", lambda name: str(fake))
    assert environment.find_python("3.99") == sys.executable


def test_a_failed_command_is_named_in_one_line(monkeypatch, tmp_path, capsys):
    def fail(*command, **_):
        raise subprocess.CalledProcessError(1, [*command, "first\nsecond"])

    monkeypatch.setattr(environment, "run", fail)
    assert environment.main(["course", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("this failed, see above: ") and said.count("\n") == 1


def test_the_set_up_cell_is_found_in_a_notebook(tmp_path):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
        {"cell_type": "code", "metadata": {"tags": ["setup"]}, "source": ["import os\n", "os"]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert environment.setup_cell(path) == "import os\nos"
