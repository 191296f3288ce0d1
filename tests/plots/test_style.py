"""What is drawn from simulated data says so."""

import numpy as np
import pytest

from helpers import plots


def is_marked(figure):
    return "MOCK" in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("mock", [True, False])
def test_mock_stands_on_a_figure_only_where_it_is_mock(mock):
    figure, axis = plots.panels(mock=mock)
    assert is_marked(figure) == mock and axis in figure.axes
    images = np.eye(5)[None].repeat(3, 0)
    assert is_marked(plots.image_grid(images, ["a", "b", "c"], mock=mock)) == mock


def test_nobody_forgets_to_say_whether_it_is_mock():
    with pytest.raises(TypeError, match="mock"):
        plots.panels()


def test_sizes_are_written_out():
    figure, axis = plots.panels(mock=False)
    axis.plot([30, 3000], [1, 2])
    plots.size_axis(axis, "images")
    shown = [label.get_text() for label in axis.get_xticklabels()]
    assert shown == ["50", "100", "200", "500", "1 000", "2 000"]
    figure.canvas.draw()
