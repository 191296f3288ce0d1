"""Figures that are peculiar to spectra. Each takes data and returns the Matplotlib figure."""

import numpy as np
from matplotlib import colormaps

from helpers.astro.lines import LINES
from helpers.plots import label_decades, panels

MARKED = {"[O II] 3726": "[O II]", "Ca K": "K", "Ca H": "H", "Hδ": "Hδ", "G band": "G", "Hβ": "Hβ"}
MARKED |= {
    "[O III] 5007": "[O III]",
    "Mg b 5173": "Mg b",
    "Na D 5890": "Na D",
    "Hα": "Hα",
    "[S II] 6716": "[S II]",
}
WAVELENGTH = "rest wavelength [Å]"


FEW = ("[O II] 3726", "Ca H", "Hβ", "Mg b 5173", "Na D 5890", "Hα")


def mark_lines(axis, names=tuple(MARKED)):
    """Mark the best-known lines on an axis of rest wavelengths, within its limits.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    names : sequence of str
        Lines whose names are written above the axis.
    """
    lower, upper = axis.get_xlim()
    for line, name in MARKED.items():
        place = LINES[line].wavelength
        if lower < place < upper:
            axis.axvline(place, color="grey", linewidth=0.6, alpha=0.5, zorder=0)
            if line in names:
                shift = {"Ca K": -2, "Ca H": 3}.get(line, 0)  # points, so that the two can be read
                where = ("data", "axes fraction")
                axis.annotate(
                    name,
                    (place, 1.0),
                    (shift, 3),
                    xycoords=where,
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                )


def spectra(wavelength, flux, titles, *, mock):
    """Show single spectra in their rest frame, one below the other.

    Parameters
    ----------
    wavelength, flux : array, shape (n, n_pix)
        Rest frame, Å; any unit per Å. What is not finite is left out.
    titles : sequence of str
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(len(flux), mock=mock, size=(9.5, 2.5), squeeze=False)
    for axis, x, y, title in zip(axes[:, 0], wavelength, flux, titles, strict=True):
        axis.plot(x, y, linewidth=0.5, color="C0")
        low, high = np.nanpercentile(y, [0.2, 99.8])
        axis.set(xlim=(3450, 7600), ylim=(min(low, 0) - 0.05 * high, 1.15 * high))
        axis.set_ylabel("flux [10⁻¹⁷ erg/s/cm²/Å]", fontsize=8)
        axis.text(0.99, 0.06, title, transform=axis.transAxes, ha="right")
        mark_lines(axis)
    axes[-1, 0].set_xlabel(WAVELENGTH)
    return figure


def distributions(values, *, mock):
    """Show histograms of parameters on the diagonal, and each pair below it.

    Parameters
    ----------
    values : dict of str to array, shape (n,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    n = len(values)
    figure, axes = panels(n, n, mock=mock, size=(2.1, 1.7))
    for row, (name, y) in enumerate(values.items()):
        for column, (other, x) in enumerate(values.items()):
            axis = axes[row, column]
            if column > row:
                axis.set_axis_off()
                continue
            if column == row:
                axis.hist(x, 30, color="C0")
                axis.set_yticks([])
            else:
                axis.plot(x, y, ".", markersize=1, alpha=0.4, rasterized=True)
            if row == n - 1:
                axis.set_xlabel(other, fontsize=8)
            if column == 0:
                axis.set_ylabel(name if row else "number", fontsize=8)
    return figure


def spread(frames, common, *, mock):
    """Show mean and spread of spectra in several frames.

    Parameters
    ----------
    frames : dict of str to (wavelength, flux)
        Å, shape (n_pix,); relative flux, shape (n, n_pix), with NaN where a spectrum has none.
    common : (float, float)
        The range in Å that all spectra cover in the last frame.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, len(frames), mock=mock, size=(5, 2.8), sharey=True)
    for axis, (name, (wavelength, flux)) in zip(axes, frames.items(), strict=True):
        covered = np.isfinite(flux).mean(axis=0) > 0.2
        mean, deviation = np.nanmean(flux[:, covered], axis=0), np.nanstd(flux[:, covered], axis=0)
        axis.fill_between(
            wavelength[covered], mean - deviation, mean + deviation, alpha=0.3, label="spread"
        )
        axis.plot(wavelength[covered], mean, linewidth=0.8, label="mean")
        axis.set(title=name, ylim=(0, 2.6), xlabel="wavelength [Å]")
    axes[0].set_ylabel("flux / brightness")
    axes[-1].axvspan(*common, color="C2", alpha=0.12, label="covered by all")
    axes[-1].legend()
    return figure


def rows(wavelength, groups, *, mock):
    """Show a few spectra of each group, a column a group.

    Parameters
    ----------
    wavelength : array, shape (n_bins,)
    groups : dict of str to array, shape (n, n_bins)
        Relative flux.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(next(iter(groups.values())))
    figure, axes = panels(
        count, len(groups), mock=mock, size=(4.8, 1.6), sharex=True, squeeze=False
    )
    for column, (name, flux) in enumerate(groups.items()):
        for axis, values in zip(axes[:, column], flux, strict=True):
            axis.plot(wavelength, values, linewidth=0.7, color=f"C{column}")
            axis.set_xlim(wavelength[0], wavelength[-1])
            mark_lines(axis, names=())
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel(WAVELENGTH)
    figure.supylabel("flux / brightness", fontsize=9)
    return figure


def pairs(wavelength, groups, titles, *, mock, columns=2):
    """Show spectra of two groups over each other, the second shifted down.

    Parameters
    ----------
    wavelength : array, shape (n_bins,)
    groups : dict of str to array, shape (n, n_bins)
        Two groups, with one row a pair.
    titles : sequence of str
        One a pair.
    mock : bool
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(titles)
    figure, axes = panels(
        -(-count // columns), columns, mock=mock, size=(4.9, 1.5), sharex=True, squeeze=False
    )
    for i, (axis, title) in enumerate(zip(axes.flat, titles, strict=True)):
        for number, (name, flux) in enumerate(groups.items()):
            axis.plot(
                wavelength,
                flux[i] - 0.8 * number,
                linewidth=0.6,
                color=f"C{number}",
                label=name if not i else None,
            )
        low, high = np.percentile(np.stack([flux[i] for flux in groups.values()]), [0.3, 99.3])
        axis.set_ylim(low - 0.95, high + 0.15)  # the strongest lines may leave the frame
        axis.set_title(title, fontsize=8, pad=2)
        axis.set_xlim(wavelength[0], wavelength[-1])
        axis.set_yticks([])
    figure.legend(loc="outside lower center", ncols=len(groups))
    for axis in axes[-1]:
        axis.set_xlabel(WAVELENGTH)
    return figure


def moved(wavelength, curves, amounts, *, mock):
    """Show how a spectrum changes when one parameter moves.

    Parameters
    ----------
    wavelength : array, shape (n_bins,)
    curves : dict of str to array, shape (k, n_bins)
        By the name of the parameter.
    amounts : array, shape (k,)
        Of the parameter, in standard deviations.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, len(curves), mock=mock, size=(5.2, 3.2), squeeze=False, sharey=True)
    colours = colormaps["coolwarm"](np.linspace(0, 1, len(amounts)))
    for axis, (name, flux) in zip(axes[0], curves.items(), strict=True):
        for values, amount, colour in zip(flux, amounts, colours, strict=True):
            axis.plot(wavelength, values, linewidth=0.7, color=colour, label=f"{amount:+.1f} σ")
        axis.set(
            xlabel=WAVELENGTH, xlim=(wavelength[0], wavelength[-1]), yscale="log", ylim=(0.2, 8)
        )
        label_decades(axis.yaxis)
        axis.set_title(name, pad=16)
        mark_lines(axis, FEW)
    axes[0, 0].set_ylabel("flux / brightness")
    axes[0, 0].legend(fontsize=7, ncols=2)
    return figure


def training(history, *, mock):
    """Show the losses of a GAN and what its callback measured, one panel each.

    Parameters
    ----------
    history : helpers.training.History
        With the metrics distance and roughness.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, 3, mock=mock, size=(3.5, 2.7))
    for name, losses in history.curves.items():
        axes[0].plot(history.steps, losses, label=name)
    axes[0].set(ylabel="loss")
    axes[0].legend()
    axes[1].plot(history.steps, history.metrics["distance"], "o-")
    axes[1].set(ylabel="Fréchet distance (features)", yscale="log")
    label_decades(axes[1].yaxis)
    axes[2].plot(history.steps, history.metrics["roughness"], "o-")
    axes[2].axhline(1, color="grey", linestyle="--", linewidth=0.8)
    axes[2].set(ylabel="roughness / real", ylim=(0, 1.2))
    for axis in axes:
        axis.set_xlabel("generator step")
    return figure


def index_histograms(real, generated, groups, *, mock):
    """Show the distributions of line indices, real and generated, in groups of age.

    Parameters
    ----------
    real, generated : pandas.DataFrame
        One column an index, one row a spectrum.
    groups : array of int, shape (n,)
        0, 1, 2 for young, middle, old: of the real spectrum, and of the one generated with its parameters.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = {
        "D4000": "D4000",
        "Hdelta_A": "Hδ_A [Å]",
        "EW_Halpha": "EW(Hα) [Å]",
        "EW_OIII": "EW([O III]) [Å]",
    }
    figure, axes = panels(3, len(real.columns), mock=mock, size=(2.5, 1.6), sharex="col")
    for column, index in enumerate(real):
        edges = np.linspace(*np.nanpercentile(real[index], [0.5, 99.5]), 25)
        for group, name in enumerate(("young", "middle", "old")):
            axis = axes[group, column]
            axis.hist(real[index][groups == group], edges, color="C0", alpha=0.45, label="real")
            axis.hist(
                generated[index][groups == group],
                edges,
                histtype="step",
                color="C1",
                label="generated",
            )
            axis.set_yticks([])
            if column == 0:
                axis.set_ylabel(name)
        axes[-1, column].set_xlabel(labels.get(index, index))
    axes[0, -1].legend(fontsize=8)
    return figure


def velocities(velocity, r, *, mock):
    """Show the errors of redshifts against r.

    Parameters
    ----------
    velocity : array, shape (n,)
        Errors in km/s; what is beyond 500 is drawn there.
    r : array, shape (n,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 2.9))
    axis.plot(r, np.clip(velocity, -500, 500), ".", markersize=4, alpha=0.5)
    axis.axhspan(-300, 300, color="C2", alpha=0.12, label="within 300 km/s")
    axis.set(
        xlabel="r of the best template", ylabel="error of the redshift [km/s]", ylim=(-520, 520)
    )
    axis.legend()
    return figure
