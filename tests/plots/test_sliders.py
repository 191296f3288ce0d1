"""Sliders: widgets where they can be drawn, a picture everywhere else."""

import sys

import pytest

from helpers.plots import panels
from helpers.plots.sliders import sliders

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def figure():
    return panels(mock=True)[0]


def test_a_slider_a_name_redraws_the_figure(figure, monkeypatch):
    monkeypatch.delenv("HACK_STATIC", raising=False)
    drawn = []
    shown = sliders(lambda values: drawn.append(values) or figure, ["one", "two"], figure)
    one, two = shown.box.children[:2]
    assert (one.description, two.description, drawn) == ("one", "two", [[0, 0]])
    two.value = 1.5
    assert drawn[-1] == [0, 1.5]
    bundle, metadata = shown._repr_mimebundle_()
    assert WIDGET in bundle and bundle["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"]


def test_widgets_as_old_as_colabs_are_shown_too(figure, monkeypatch):
    ipywidgets = pytest.importorskip("ipywidgets")
    monkeypatch.delenv("HACK_STATIC", raising=False)
    shown = sliders(lambda values: figure, ["one"], figure)
    monkeypatch.delattr(
        ipywidgets.Widget, "_repr_mimebundle_", raising=False
    )  # new in ipywidgets 8
    assert shown._repr_mimebundle_()[0][WIDGET]["model_id"] == shown.box.model_id


def test_where_the_course_is_executed_there_is_only_the_picture(figure, monkeypatch):
    monkeypatch.setenv("HACK_STATIC", "1")
    bundle, _ = sliders(None, ["one"], figure)._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"}


def test_without_widgets_there_is_only_the_picture(figure, monkeypatch):
    monkeypatch.delenv("HACK_STATIC", raising=False)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    bundle, _ = sliders(None, ["one"], figure)._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"}
