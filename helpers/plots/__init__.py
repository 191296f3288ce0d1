"""Figures that more than one hack uses. Each takes data and returns the Matplotlib figure.

Every function has the required argument `mock`: a figure drawn from simulated data says so.
"""

from helpers.plots.curves import bars, errorbars, histograms, history, seeds
from helpers.plots.images import image_grid, matrices
from helpers.plots.regression import (
    corner,
    densities,
    importances,
    pit_histograms,
    predicted_against_true,
)
from helpers.plots.style import label_decades, panels, size_axis, titled_panels, use_course_style

__all__ = [
    "bars",
    "corner",
    "densities",
    "errorbars",
    "histograms",
    "history",
    "image_grid",
    "importances",
    "label_decades",
    "matrices",
    "panels",
    "pit_histograms",
    "predicted_against_true",
    "seeds",
    "size_axis",
    "titled_panels",
    "use_course_style",
]
