"""Figures that are peculiar to photometric redshifts: data in, the Matplotlib figure out."""

import numpy as np

from helpers.astro import seds
from helpers.plots import panels, regression
from helpers.subjects.photoz import metrics
from helpers.subjects.photoz.columns import BANDS

TRUE = "spectroscopic redshift"
PREDICTED = "photometric redshift"
BREAK = 0.4  # μm, rest frame
SHOWN = (0.4, 1.8)  # μm, observed


def break_through_bands(redshifts, *, mock, template="Sbc"):
    """Show a template at several redshifts over the throughputs of the bands.

    Parameters
    ----------
    redshifts : sequence of float
    mock : bool
    template : str
        As `seds.cww`.

    Returns
    -------
    matplotlib.figure.Figure
        Triangles: where the break at 4000 Å is.
    """
    figure, axis = panels(mock=mock, size=(7.5, 3.4))
    for number, band in enumerate(BANDS):
        _draw_band(axis, band, color=f"C{number}", height=0.93 + 0.07 * (number % 2))
    shades = np.linspace(0.75, 0.0, len(redshifts))
    for shade, z in zip(shades, redshifts, strict=True):
        _draw_template(axis, template, z, color=str(shade))
        axis.plot(BREAK * (1 + z), 0.02, "^", color=str(shade), markersize=6, clip_on=False)
    axis.set(xlabel="observed wavelength [μm]", ylabel="energy per frequency (scaled)")
    axis.set(xlim=SHOWN, ylim=(0, 1.08))
    axis.legend(loc="center right", fontsize=8)
    return figure


def _draw_band(axis, band, color, height):
    """Draw the throughput of a band, scaled, and its name at this height."""
    wavelength, throughput = seds.throughput(band)
    scaled = 0.9 * throughput / throughput.max()
    axis.fill_between(wavelength / 1e4, scaled, color=color, alpha=0.18)
    axis.text(seds.pivot(band) / 1e4, height, band, ha="center", fontsize=8, color=color)


def _draw_template(axis, template, z, color):
    """Draw what is seen of a template at a redshift, scaled to its largest value."""
    flux = seds.cww(template) * seds.transmission_of_hydrogen(seds.REST, z)
    observed = seds.REST * (1 + z) / 1e4  # μm
    low, high = SHOWN
    inside = (observed > low) & (observed < high)
    scaled = flux[inside] / flux[inside].max()
    axis.plot(observed[inside], scaled, color=color, linewidth=1.2, label=f"z = {z:g}")


def scatter(predicted, true, *, mock, columns=3, limit=None):
    """Show predicted against true redshifts, one panel a method, with the figures of merit.

    Parameters
    ----------
    predicted : dict of str to array, shape (n,)
    true : array, shape (n,)
    mock : bool
    columns : int
    limit : float, optional
        Largest redshift shown.

    Returns
    -------
    matplotlib.figure.Figure
        Dashed lines: beyond them is an outlier.
    """
    return regression.predicted_against_true(
        predicted,
        true,
        mock=mock,
        names=(TRUE, PREDICTED),
        columns=columns,
        limits=(0, limit or 1.05 * np.max(true)),
        margin=lambda z: metrics.OUTLIER * (1 + z),
        describe=_merit,
    )


def _merit(predicted, true):
    return (
        f"MSE {metrics.mse(predicted, true):.3f}\n"
        f"σ_NMAD {metrics.sigma_nmad(predicted, true):.3f}\n"
        f"outliers {metrics.outliers(predicted, true):.1%}"
    )


def against(values, errors, x, xlabel, ylabel, *, mock):
    """Show a figure of merit of several methods against a binned quantity.

    Parameters
    ----------
    values, errors : dict of str to array, shape (k,)
    x : array, shape (k,)
    xlabel, ylabel : str
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 3.2))
    for number, (name, y) in enumerate(values.items()):
        axis.errorbar(x, y, errors[name], fmt="o-", color=f"C{number}", capsize=2, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    axis.legend(fontsize=8)
    return figure
