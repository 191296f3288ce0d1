"""Images and matrices."""

import numpy as np
import pytest

from helpers import plots

IMAGES = np.arange(1, 12)[:, None, None] * np.eye(4)


@pytest.mark.parametrize("number", [1, 7, 8, 11])
def test_every_image_is_drawn_under_its_title(number):
    titles = [f"N = {i}" for i in range(number)]
    figure = plots.image_grid(IMAGES[:number], titles, mock=True)
    drawn = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in drawn] == titles
    for axis, image in zip(drawn, IMAGES[:number], strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), image)
        assert axis.images[0].get_clim() == (0, number)


def test_a_title_or_a_name_too_few_is_told():
    with pytest.raises(ValueError, match="longer"):
        plots.image_grid(IMAGES, ["a"], mock=True)
    with pytest.raises(ValueError, match="shorter"):
        plots.image_grid(IMAGES, mock=True, columns=4, row_names=["a", "b"])


def test_rows_have_names():
    figure = plots.image_grid(IMAGES[:8], mock=True, columns=4, row_names=["real", "made"])
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["real", "", "", "", "made", "", "", ""]


def test_numbers_stand_in_their_squares():
    matrix = np.array([[1.0, -0.9], [0.2, 0.0], [0.5, 0.61]])
    figure = plots.matrices({"one": matrix, "two": matrix}, "abc", "xy", mock=True, label="r")
    assert len(figure.axes) == 3
    texts = figure.axes[1].texts
    assert [text.get_text() for text in texts] == ["1.00", "-0.90", "0.20", "0.00", "0.50", "0.61"]
    colours = [text.get_color() for text in texts]
    assert colours == ["white", "white", "black", "black", "black", "white"]


def test_long_names_are_turned():
    figure = plots.matrices({"": np.eye(2)}, "ab", ["redshift", "age"], mock=True)
    figure.canvas.draw()
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_rotation() for label in labels] == [35, 35]
    assert [label.get_text() for label in labels] == ["redshift", "age"]
