"""Figures in a notebook: as fine as a projector needs, and described in words."""

import io

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from helpers import plots
from helpers.plots.display import SCALE, describe, picture, show_figures


@pytest.fixture
def figure():
    figure, axes = plots.panels(1, 2, mock=True)
    axes[0].plot([1, 2], [3, 4], label="network")
    axes[0].set(xlabel="epoch", ylabel="loss", title="training")
    axes[0].legend()
    axes[1].imshow(np.eye(3))
    return figure


def test_a_description_says_what_is_written_in_the_figure(figure):
    assert describe(figure) == "training: loss against epoch: network. Simulated data."


def test_panels_that_say_the_same_are_described_once_and_the_figure_s_legend_is_read():
    figure, axes = plots.panels(1, 2, mock=False)
    for axis in axes:
        axis.plot([1, 2], label="one")
        axis.set(xlabel="x")
    figure.legend(*axes[0].get_legend_handles_labels())
    assert describe(figure) == "x. one."


def test_what_is_written_beside_the_panels_is_read():
    figure, _ = plots.panels(2, 2, mock=True)
    figure.supxlabel("wavelength")
    assert describe(figure) == "wavelength. Simulated data."


def test_a_long_description_ends_at_a_word():
    figure, axis = plots.panels(mock=False)
    axis.set_title("many words " * 100)
    said = describe(figure)
    assert len(said) < 310 and said.endswith("words ….")


def test_a_picture_has_more_pixels_than_it_takes_on_the_screen(figure):
    data, metadata = picture(figure)
    width, height = Image.open(io.BytesIO(data)).size
    assert (metadata["width"], metadata["height"]) == (width // SCALE, height // SCALE)
    assert width > 1.5 * 7.2 * 90
    assert metadata["alt"] == describe(figure)


def test_a_notebook_shows_figures_so(figure):
    shell = InteractiveShell()
    show_figures(shell)
    data, metadata = shell.display_formatter.format(figure)
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == describe(figure)
