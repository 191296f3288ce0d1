"""Figures that are peculiar to photometric redshifts. Each takes data and returns the Matplotlib figure."""

import numpy as np

from helpers.astro import seds
from helpers.evaluation import regression as metrics
from helpers.plots import panels
from helpers.subjects.photoz.columns import BANDS

TRUE, PREDICTED = "spectroscopic redshift", "photometric redshift"


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
    """
    figure, axis = panels(mock=mock, size=(7.5, 3.4))
    for number, band in enumerate(BANDS):
        wavelength, throughput = seds.throughput(band)
        axis.fill_between(
            wavelength / 1e4, throughput / throughput.max() * 0.9, color=f"C{number}", alpha=0.18
        )
        axis.text(
            seds.pivot(band) / 1e4,
            0.93 + 0.07 * (number % 2),
            band,
            ha="center",
            fontsize=8,
            color=f"C{number}",
        )
    for shade, z in zip(np.linspace(0.75, 0.0, len(redshifts)), redshifts, strict=True):
        flux = seds.cww(template) * seds.transmission_of_hydrogen(seds.REST, z)
        observed = seds.REST * (1 + z) / 1e4
        inside = (observed > 0.4) & (observed < 1.8)
        scaled = flux / flux[inside].max()
        axis.plot(
            observed[inside], scaled[inside], color=str(shade), linewidth=1.2, label=f"z = {z:g}"
        )
        axis.plot(0.4 * (1 + z), 0.02, "^", color=str(shade), markersize=6, clip_on=False)
    axis.set(
        xlabel="observed wavelength [μm]",
        ylabel="energy per frequency (scaled)",
        xlim=(0.4, 1.8),
        ylim=(0, 1.08),
    )
    axis.legend(loc="center right", fontsize=8)
    return figure


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
    """
    rows = -(-len(predicted) // columns)
    figure, axes = panels(
        rows, columns, mock=mock, size=(3.1, 2.9), sharex=True, sharey=True, squeeze=False
    )
    limit = limit or 1.05 * np.max(true)
    line = np.array([0, limit])
    for axis, (name, z) in zip(axes.flat, predicted.items(), strict=False):
        axis.plot(true, z, ".", markersize=2, alpha=0.35, rasterized=True)
        axis.plot(line, line, color="black", linewidth=0.8)
        for sign in (-1, 1):
            axis.plot(
                line, line + sign * metrics.OUTLIER * (1 + line), "--", color="grey", linewidth=0.8
            )
        text = f"MSE {metrics.mse(z, true):.3f}\nσ_NMAD {metrics.sigma_nmad(z, true):.3f}\noutliers {metrics.outliers(z, true):.1%}"
        axis.text(0.03, 0.97, text, transform=axis.transAxes, va="top", fontsize=7)
        axis.set(title=name, xlim=(0, limit), ylim=(0, limit))
    for axis in axes.flat[len(predicted) :]:
        axis.set_axis_off()
    figure.supxlabel(TRUE, fontsize=10)
    figure.supylabel(PREDICTED, fontsize=10)
    return figure


def pit_histograms(values, *, mock):
    """Show the distribution of PIT values of each method, beside that of calibrated distributions.

    Parameters
    ----------
    values : dict of str to array, shape (n,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, len(values), mock=mock, size=(2.7, 2.5), sharey=True, squeeze=False)
    for number, (axis, (name, pit)) in enumerate(zip(axes[0], values.items(), strict=True)):
        counts, edges = np.histogram(pit, 20, (0, 1))
        axis.stairs(counts / len(pit) * 20, edges, fill=True, alpha=0.5, color=f"C{number}")
        scatter = np.sqrt(20 / len(pit))
        axis.axhspan(1 - 2 * scatter, 1 + 2 * scatter, color="grey", alpha=0.25)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set(title=name, xlabel="PIT", xlim=(0, 1))
    axes[0, 0].set_ylabel("density")
    return figure


def densities(grid, cumulative, true, titles, *, mock, columns=4):
    """Show p(z) of single galaxies by several methods, with their true redshifts.

    Parameters
    ----------
    grid : dict of str to array, shape (n_z,)
        By the name of the method.
    cumulative : dict of str to array, shape (n, n_z)
    true : array, shape (n,)
    titles : sequence of str
    mock : bool
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(true) // columns)
    figure, axes = panels(rows, columns, mock=mock, size=(2.7, 2.0), sharex=True, squeeze=False)
    edges = np.arange(0, 4.51, 0.09)
    for i, (axis, z) in enumerate(zip(axes.flat, true, strict=False)):
        for number, name in enumerate(cumulative):
            mass = np.diff(np.interp(edges, grid[name], cumulative[name][i], left=0, right=1))
            axis.stairs(
                mass / np.diff(edges), edges, color=f"C{number}", label=name if i == 0 else None
            )
        axis.axvline(
            z, color="black", linestyle="--", linewidth=1, label="true" if i == 0 else None
        )
        axis.set(title=titles[i], yticks=[], xlim=(0, 4.5))
        axis.title.set_fontsize(8)
    for axis in axes[-1]:
        axis.set_xlabel("redshift")
    figure.supylabel("p(z)", fontsize=10)
    figure.legend(loc="outside lower center", ncols=len(cumulative) + 1, fontsize=8)
    return figure


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


def importances(values, errors, names, *, mock, most=15):
    """Show importances of features, each kind in a panel of its own and as shares of its sum, the largest first.

    Parameters
    ----------
    values, errors : dict of str to array, shape (k,)
        By the kind of importance; an error may be None.
    names : sequence of str
        Of the k features.
    mock : bool
    most : int
        So many features are shown: those that are largest in any of the kinds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shares = {kind: np.asarray(v) / np.abs(v).sum() for kind, v in values.items()}
    order = np.argsort(np.max(list(shares.values()), axis=0))[-most:]
    figure, axes = panels(
        1, len(values), mock=mock, size=(3.8, 0.23 * len(order) + 0.7), sharey=True, squeeze=False
    )
    for number, (axis, (kind, share)) in enumerate(zip(axes[0], shares.items(), strict=True)):
        error = (
            None if errors.get(kind) is None else errors[kind][order] / np.abs(values[kind]).sum()
        )
        axis.barh(np.arange(len(order)), share[order], xerr=error, color=f"C{number}")
        axis.axvline(0, color="grey", linewidth=0.8)
        axis.set(title=kind, xlabel="share of the importance")
    axes[0, 0].set_yticks(np.arange(len(order)), np.asarray(names)[order], fontsize=8)
    return figure
