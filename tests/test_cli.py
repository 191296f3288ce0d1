"""The one command line: what it prints, what it says when something is wrong, what it imports."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

from helpers import cli
from helpers.datasets import download, places
from helpers.datasets.registry import registry
from helpers.subjects import rings
from helpers.subjects.photoz import evaluation, mock
from helpers.subjects.photoz.columns import ERRORS, FLUXES
from helpers.subjects.photoz.models import MODELS
from helpers.subjects.rings.data import KINDS
from helpers.subjects.spectra import sdss

HEAVY = ("torch", "sklearn", "matplotlib", "pandas", "scipy", "astropy")


@pytest.fixture
def run(capsys):
    """Call a command; returns its exit status, and what it said and complained about."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.course([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return call


def in_a_process(*arguments):
    command = [sys.executable, "-m", "helpers", *map(str, arguments)]
    folder = places.PACKAGE.parent
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, timeout=120)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["data", "list"], ["photoz", "evaluate", "--help"]]
)
def test_nothing_is_imported_that_is_not_asked_for(arguments):
    lines = [
        "import sys",
        "from helpers.cli import course",
        f"course({arguments}, standalone_mode=False)",
        f"sys.exit(', '.join(set({HEAVY}) & set(sys.modules)))",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    folder = places.PACKAGE.parent
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, timeout=60)
    assert ended.stderr.strip() == ""  # or what was imported
    assert "Usage" in ended.stdout or "sdss_galaxies" in ended.stdout


def test_an_error_is_one_sentence_and_exit_status_1():
    ended = in_a_process("data", "fetch", "rigns")
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.startswith("no data set 'rigns'") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("a flux is no redshift"), "a flux is no redshift"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "out of memory: ask for fewer"),
        (KeyboardInterrupt(), "stopped: run the same command again to go on"),
    ],
)
def test_whatever_goes_wrong_is_told_in_a_sentence(error, said, run, monkeypatch):
    def fails(name):
        raise error

    monkeypatch.setattr(download, "fetch", fails)
    status, out, err = run("data", "fetch", "rings")
    assert status == 1 and out == "" and said in err and err.count("\n") == 1


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    def fails(name):
        raise KeyError("ours")

    monkeypatch.setattr(download, "fetch", fails)
    with pytest.raises(KeyError, match="ours"):
        cli.course(["data", "fetch", "rings"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["rings", "make", "folder", "--n", "0"],
        ["rings", "make", "folder", "--max-rings", "0"],
        ["rings", "make", "folder", "--seed", "-1"],
        ["rings", "make", "folder", "--kind", "square"],
        ["photoz", "evaluate", "file"],
        ["photoz", "evaluate", "file", "--fluxes", "a,,b"],
        ["photoz", "evaluate", "file", "--fluxes", "a,b", "--model", "oracle"],
        ["spectra", "redshift"],
        ["spectra", "guess"],
        ["weather"],
    ],
)
def test_wrong_options_are_told_with_exit_status_2(arguments, run):
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and "Usage: " in err and "Error: " in err


def test_choices_and_defaults_are_those_of_the_subjects():
    assert tuple(KINDS) == cli.RING_KINDS and tuple(MODELS) == cli.MODELS
    defaults = {option.name: option.default for option in cli.evaluate_photoz.params}
    for name, parameter in inspect.signature(evaluation.evaluate).parameters.items():
        if name in ("z_spec", "model", "seed", "most"):
            assert defaults[name] == parameter.default


def test_every_data_set_is_listed_in_columns(run, data_folder):
    status, out, _ = run("data", "list")
    head, *rows = out.splitlines()
    assert status == 0 and head.split() == [
        "name",
        "hack",
        "size",
        "here",
        "how",
        "to",
        "get",
        "it",
    ]
    assert [row.split()[0] for row in rows] == list(registry())
    place = head.index("how")
    assert all(row[place - 1] == " " != row[place] for row in rows)


def test_where_a_data_set_is(run, data_folder, monkeypatch):
    monkeypatch.setattr(places, "CHECKOUT", places.PACKAGE.parent)
    monkeypatch.setenv("HACK_DATA", str(data_folder))
    paths = [data_folder / file["name"] for file in registry("hdfn")["files"]]
    paths[0].touch()
    status, out, err = run("data", "where", "hdfn")
    assert status == 1 and out == "" and f"{paths[-1].name} not found" in err
    paths[-1].touch()
    status, out, _ = run("data", "where", "hdfn")
    assert status == 0 and out.splitlines() == list(map(str, paths))


def test_what_was_fetched_is_told(run, data_folder, monkeypatch):
    monkeypatch.setattr(download, "fetch", lambda name: [data_folder / "one", data_folder / "two"])
    status, out, _ = run("data", "fetch", "rings")
    assert status == 0 and out.split() == ["data/one", "data/two"]


@pytest.mark.parametrize("kind", ["classifier", "regressor", "ellipse"])
def test_a_folder_of_rings_is_made_and_read_again(tmp_path, kind, run):
    folder = tmp_path / "made"
    options = ("--n", 4, "--kind", kind, "--seed", 2)
    status, out, _ = run("rings", "make", folder, *options)
    assert status == 0 and str(folder) in out
    made = rings.load(path=folder)
    again = rings.load(n=4, kind=kind, seed=2, source="mock")
    np.testing.assert_array_equal(made.images, again.images)
    status, _, err = run("rings", "make", folder, "--n", 4)
    assert status == 1 and "expected a new or empty folder" in err


def test_redshifts_of_several_spectra(run, monkeypatch):
    asked = []
    monkeypatch.setattr(
        sdss, "redshift_of", lambda *given: asked.append(given) or f"z of {given[0]}"
    )
    status, out, _ = run("spectra", "redshift", "a", "b", "--templates", "t", "--templates", "u")
    assert status == 0 and out == "z of a\nz of b\n"
    assert asked == [("a", ("t", "u")), ("b", ("t", "u"))]


def test_a_spectrum_that_is_not_there_is_told(run, tmp_path):
    status, out, err = run("spectra", "redshift", tmp_path / "nothing.fits")
    assert status == 1 and out == "" and "nothing.fits" in err and err.count("\n") == 1


@pytest.mark.slow
def test_a_catalogue_is_judged_in_one_line_of_json(tmp_path):
    table, truth = mock.simulate(300, seed=6, z_peak=False)
    path = tmp_path / "a.csv"
    table.assign(z_spec=truth["z"]).to_csv(path, index=False)
    fluxes = ", ".join(FLUXES).upper()
    options = ["--fluxes", fluxes, "--errors", ",".join(ERRORS), "--z-spec", "Z_SPEC"]
    ended = in_a_process("photoz", "evaluate", path, *options, "--model", "linear")
    assert ended.returncode == 0 and ended.stderr == "" and ended.stdout.count("\n") == 1
    found = json.loads(ended.stdout)
    assert found["n"] == 300 and found["mse"] < found["constant"]["mse"]
    ended = in_a_process("photoz", "evaluate", path, "--fluxes", "f_F606W,u")
    assert ended.returncode == 1 and ended.stdout == "" and "no column 'u'" in ended.stderr
