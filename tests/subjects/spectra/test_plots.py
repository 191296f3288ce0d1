"""Figures of spectra show all that they are given."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.plots import latent
from helpers.subjects.spectra import plots

WAVELENGTH = np.linspace(3600, 7500, 64)
RNG = np.random.default_rng(0)


def flux(*shape):
    return 1 + 0.1 * RNG.normal(size=(*shape, len(WAVELENGTH)))


def curves(figure):
    """Number of spectra drawn in each panel."""
    axes = figure.axes
    return [sum(len(line.get_xdata()) == len(WAVELENGTH) for line in axis.lines) for axis in axes]


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_each_spectrum_has_its_panel_with_lines_marked():
    figure = plots.spectra(np.stack([WAVELENGTH, WAVELENGTH]), flux(2), ["a", "b"], mock=True)
    assert curves(figure) == [1, 1] and "MOCK" in words(figure)
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert {"Hα", "[O III]", "K", "H"} <= set(marks)


@pytest.mark.parametrize(("count", "panels"), [(4, 4), (3, 4)])
def test_pairs_show_all_groups_in_all_panels(count, panels):
    groups = {"real": flux(count), "generated": flux(count), "baseline": flux(count)}
    figure = plots.pairs(WAVELENGTH, groups, [str(i) for i in range(count)], mock=False)
    assert curves(figure) == count * [3] + (panels - count) * [0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(groups)
    assert "MOCK" not in words(figure)


def test_rows_and_moved_show_every_curve():
    groups = {"real": flux(3), "generated": flux(3)}
    assert curves(plots.rows(WAVELENGTH, groups, mock=True)) == 6 * [1]
    moved = plots.moved(WAVELENGTH, {"age": flux(5), "mass": flux(5)}, np.arange(5), mock=True)
    assert curves(moved) == [5, 5]
    assert len(moved.axes[0].get_legend().get_texts()) == 5


def test_distributions_show_each_pair_once():
    figure = plots.distributions({name: RNG.normal(size=20) for name in "abc"}, mock=True)
    with_data = [axis for axis in figure.axes if axis.axison]
    assert len(with_data) == 6
    assert [axis.get_xlabel() for axis in figure.axes[-3:]] == ["a", "b", "c"]


def test_histograms_of_indices_divide_by_age():
    table = pd.DataFrame({"D4000": RNG.normal(size=60), "EW_X": RNG.normal(size=60)})
    figure = plots.index_histograms(table, table, np.arange(60) % 3, mock=True)
    counts = [sum(patch.get_height() for patch in axis.patches[:24]) for axis in figure.axes]
    assert len(counts) == 6 and all(15 < count <= 20 for count in counts)


def test_velocities_far_off_are_drawn_at_the_edge():
    figure = plots.velocities(np.array([100.0, 9000.0]), np.array([8.0, 3.0]), mock=True)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [100, plots.FARTHEST]


def test_training_shows_each_loss():
    losses = {"a": [1, 2], "b": [2, 1], "c": [0, 1]}
    metrics = {"distance": [3.0, 2.0], "roughness": [0.5, 0.9]}
    history = SimpleNamespace(steps=[1, 2], curves=losses, metrics=metrics)
    assert len(plots.training(history, mock=True).axes[0].lines) == 3


def test_a_grid_of_latents_shows_single_curves_and_bundles():
    titles = list("abcdef")
    figure = latent.grid(WAVELENGTH, flux(2, 3), titles, mock=True)
    assert curves(figure) == 6 * [1]
    assert [axis.get_title() for axis in figure.axes] == titles
    assert curves(latent.grid(WAVELENGTH, flux(2, 3, 4), mock=True)) == 6 * [4]
