"""Figures of predicted numbers: everything that goes in is drawn."""

import numpy as np
import pytest

from helpers import plots

RNG = np.random.default_rng(0)
TRUE = RNG.random(40)


def drawn(figure):
    """The axes of a figure that are not switched off."""
    return [axis for axis in figure.axes if axis.axison]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_every_method_has_a_panel(number):
    predicted = {f"method {i}": TRUE + i for i in range(number)}
    figure = plots.predicted_against_true(predicted, TRUE, mock=True)
    panels = drawn(figure)
    assert [axis.get_title() for axis in panels] == list(predicted)
    for axis, values in zip(panels, predicted.values(), strict=True):
        points = axis.get_lines()[0]
        np.testing.assert_array_equal(points.get_xydata(), np.c_[TRUE, values])
    assert "MOCK" in [text.get_text() for text in figure.texts]


def test_a_margin_and_a_description_are_drawn_where_asked():
    figure = plots.predicted_against_true(
        {"one": TRUE},
        TRUE,
        mock=False,
        limits=(0, 2),
        margin=lambda true: 0.1 * (1 + true),
        describe=lambda predicted, true: f"{len(predicted)} of {len(true)}",
    )
    (axis,) = drawn(figure)
    _, diagonal, lower, upper = axis.get_lines()
    assert diagonal.get_xydata().tolist() == [[0, 0], [2, 2]]
    np.testing.assert_allclose(lower.get_ydata(), [-0.1, 1.7])
    np.testing.assert_allclose(upper.get_ydata(), [0.1, 2.3])
    assert axis.texts[0].get_text() == "40 of 40" and axis.get_xlim() == (0, 2)


def test_a_pit_histogram_has_the_mean_height_one():
    figure = plots.pit_histograms({"even": RNG.random(500), "narrow": TRUE**4}, mock=True)
    assert [axis.get_title() for axis in figure.axes] == ["even", "narrow"]
    for axis in figure.axes:
        heights = axis.patches[0].get_data().values
        assert np.mean(heights) == pytest.approx(1)


def test_every_object_and_method_has_its_density():
    grid = np.linspace(0, 1, 50)
    cumulative = np.tile(grid, (6, 1))
    figure = plots.densities(
        {"even": grid, "steep": grid},
        {"even": cumulative, "steep": cumulative**3},
        TRUE[:6],
        [f"object {i}" for i in range(6)],
        np.linspace(0, 1, 11),
        "mass",
        mock=True,
    )
    panels = drawn(figure)
    assert [axis.get_title() for axis in panels] == [f"object {i}" for i in range(6)]
    for axis, value in zip(panels, TRUE[:6], strict=True):
        even, steep = (patch.get_data().values for patch in axis.patches)
        np.testing.assert_allclose(even, 1)
        assert steep[-1] > 2 > 0.1 > steep[0]
        assert axis.get_lines()[0].get_xdata()[0] == value
    assert [axis.get_xlabel() for axis in panels] == ["", "", *["mass"] * 4]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["even", "steep", "true"]


def test_importances_are_shares_and_the_largest_are_kept():
    values = {"impurity": np.array([1, 2, 7]), "permutation": np.array([30.0, 0, -10])}
    figure = plots.importances(
        values, {"permutation": np.array([3.0, 0, 0])}, list("abc"), mock=True, most=2
    )
    impurity, permutation = figure.axes
    assert [label.get_text() for label in impurity.get_yticklabels()] == ["c", "a"]
    assert [bar.get_width() for bar in impurity.patches] == [0.7, 0.1]
    assert [bar.get_width() for bar in permutation.patches] == [-0.25, 0.75]
    assert not impurity.containers[1:] and len(permutation.containers) == 2


def test_a_corner_has_each_quantity_and_each_pair():
    figure = plots.corner({"mass": TRUE, "age": TRUE**2, "dust": TRUE**3}, mock=True)
    assert len(drawn(figure)) == 6
    labels = {axis.get_xlabel() for axis in figure.axes} - {""}
    assert labels == {"mass", "age", "dust"}
