"""Curves: whatever goes in is drawn, and no two look alike."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers import plots
from helpers.training import History


def run(curves, steps=()):
    return History(curves=curves, steps=list(steps))


def look(line):
    return to_hex(line.get_color()), str(line._unscaled_dash_pattern), line.get_marker()


@pytest.mark.parametrize("number", [1, 2, 3, 5, 9, 20])
def test_every_curve_of_a_run_is_drawn(number):
    curves = {f"loss {i}": list(np.arange(1, 6) + i) for i in range(number)}
    (axis,) = plots.history({"vae": run(curves), "gan": run(curves)}, mock=True).axes
    lines = axis.get_lines()
    drawn = [line.get_ydata().tolist() for line in lines]
    assert drawn == [*curves.values(), *curves.values()]
    assert len({look(line) for line in lines}) == 2 * number
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    expected = [f"{name}, {curve}" for name in ("vae", "gan") for curve in curves]
    assert names == expected


def test_twelve_runs_look_different():
    runs = {str(i): run({"training": [3, 2, 1], "validation": [4, 3, 2]}) for i in range(12)}
    (axis,) = plots.history(runs, mock=True).axes
    assert len({look(line) for line in axis.get_lines()}) == 24


def test_a_history_is_drawn_over_epochs_or_steps():
    (axis,) = plots.history({"cnn": run({"training": [3, 2]})}, mock=True).axes
    (line,) = axis.get_lines()
    assert axis.get_xlabel() == "epoch" and axis.get_yscale() == "log"
    assert line.get_xdata().tolist() == [1, 2] and line.get_marker() == "o"
    curves = {"critic": [3, -2, 1], "generator": [1, 2, 3]}
    shown = {"gan": run(curves, [10, 20, 30])}
    (axis,) = plots.history(shown, mock=False, logarithmic=False).axes
    assert axis.get_xlabel() == "step" and axis.get_yscale() == "linear"
    assert axis.get_lines()[0].get_xdata().tolist() == [10, 20, 30]


@pytest.mark.parametrize("number", [1, 4, 9])
def test_every_line_and_series_is_drawn(number):
    lines = {f"floor {i}": 1.0 + i for i in range(number)}
    x = np.array([10, 100])
    series = {f"method {i}": (x, x + i, x / 10) for i in range(number)}
    figure = plots.errorbars(series, "images", "error", mock=True, lines=lines)
    (axis,) = figure.axes
    drawn = [line for line in axis.get_lines() if line.get_label() in lines]
    assert [line.get_ydata()[0] for line in drawn] == list(lines.values())
    assert len({look(line) for line in drawn}) == number
    assert [bars.get_label() for bars in axis.containers] == list(series)
    names = {text.get_text() for text in axis.get_legend().get_texts()}
    assert names == {*lines, *series}
    assert "MOCK" in [text.get_text() for text in figure.texts]


def test_bars_stand_side_by_side():
    values = {"one": np.array([1.0, 2]), "two": np.array([3.0, 4])}
    errors = {name: 0.1 * value for name, value in values.items()}
    (axis,) = plots.bars(values, errors, ["a", "b"], "score", mock=True, limits=(0, 5)).axes
    bars = axis.patches
    assert [bar.get_height() for bar in bars] == [1, 2, 3, 4]
    np.testing.assert_allclose([bar.get_center()[0] for bar in bars], [-0.2, 0.8, 0.2, 1.2])
    assert axis.get_ylim() == (0, 5)


def test_a_histogram_leaves_out_only_its_tail():
    values = {"real": np.arange(-500.0, 500.0), "made": np.full(1000, 3.0)}
    (axis,) = plots.histograms(values, "distance", mock=True).axes
    edges = np.concatenate([patch.get_xy()[:, 0] for patch in axis.patches])
    assert edges.min() == -500
    assert edges.max() == np.percentile(np.concatenate(list(values.values())), 99.5)
    assert [patch.get_label() for patch in axis.patches] == list(values)


def test_every_seed_is_a_point():
    (axis,) = plots.seeds({"a": [1.0, 2, 3], "b": [4.0]}, "distance", mock=True).axes
    points = [line.get_xydata().tolist() for line in axis.get_lines()]
    assert points == [[[1, 0], [2, 0], [3, 0]], [[4, 1]]]
