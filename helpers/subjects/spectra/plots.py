"""Figures that are peculiar to spectra. Each takes data and returns the Matplotlib figure."""

import numpy as np
from matplotlib import colormaps

from helpers.astro.lines import LINES
from helpers.plots import label_decades, panels

MARKED = {  # the best-known lines, and how they are called in a figure
    "[O II] 3726": "[O II]",
    "Ca K": "K",
    "Ca H": "H",
    "Hδ": "Hδ",
    "G band": "G",
    "Hβ": "Hβ",
    "[O III] 5007": "[O III]",
    "Mg b 5173": "Mg b",
    "Na D 5890": "Na D",
    "Hα": "Hα",
    "[S II] 6716": "[S II]",
}
FEW = ("[O II] 3726", "Ca H", "Hβ", "Mg b 5173", "Na D 5890", "Hα")
APART = {"Ca K": -2, "Ca H": 3}  # points, so that the two names can be read
WAVELENGTH = "rest wavelength [Å]"
FLUX = "flux / brightness"
SPECTRUM = {"linewidth": 0.7}
DOTS = {"marker": ".", "linestyle": "", "alpha": 0.4, "rasterized": True}
GUIDE = {"color": "grey", "linewidth": 0.6, "alpha": 0.5, "zorder": 0}
SMALL = 8  # points, of text
AGES = ("young", "middle", "old")
INDICES = {
    "D4000": "D4000",
    "Hdelta_A": "Hδ_A [Å]",
    "EW_Halpha": "EW(Hα) [Å]",
    "EW_OIII": "EW([O III]) [Å]",
}
FARTHEST = 500  # km/s


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
        if not lower < place < upper:
            continue
        axis.axvline(place, **GUIDE)
        if line in names:
            axis.annotate(
                name,
                xy=(place, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(APART.get(line, 0), 3),
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
    for row, axis in enumerate(axes[:, 0]):
        axis.plot(wavelength[row], flux[row], linewidth=0.5)
        low, high = np.nanpercentile(flux[row], [0.2, 99.8])
        bottom = min(low, 0) - 0.05 * high
        axis.set_xlim(3450, 7600)
        axis.set_ylim(bottom, 1.15 * high)
        axis.set_ylabel("flux [10⁻¹⁷ erg/s/cm²/Å]", fontsize=SMALL)
        axis.text(0.99, 0.06, titles[row], transform=axis.transAxes, ha="right")
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
    names = list(values)
    n = len(names)
    figure, axes = panels(n, n, mock=mock, size=(2.1, 1.7))
    for (row, column), axis in np.ndenumerate(axes):
        x = values[names[column]]
        y = values[names[row]]
        if column > row:
            axis.set_axis_off()
        elif column == row:
            axis.hist(x, 30)
            axis.set_yticks([])
        else:
            axis.plot(x, y, markersize=1, **DOTS)
    for number, name in enumerate(names):
        axes[number, 0].set_ylabel(name, fontsize=SMALL)
        axes[-1, number].set_xlabel(name, fontsize=SMALL)
    axes[0, 0].set_ylabel("number", fontsize=SMALL)
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
    for axis, name in zip(axes, frames, strict=True):
        wavelength, flux = frames[name]
        covered = np.isfinite(flux).mean(axis=0) > 0.2
        x = wavelength[covered]
        mean = np.nanmean(flux[:, covered], axis=0)
        deviation = np.nanstd(flux[:, covered], axis=0)
        lower = mean - deviation
        upper = mean + deviation
        axis.fill_between(x, lower, upper, alpha=0.3, label="spread")
        axis.plot(x, mean, linewidth=0.8, label="mean")
        axis.set_title(name)
        axis.set_xlabel("wavelength [Å]")
        axis.set_ylim(0, 2.6)
    axes[0].set_ylabel(FLUX)
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
    names = list(groups)
    count = len(groups[names[0]])
    options = {"sharex": True, "squeeze": False}
    figure, axes = panels(count, len(names), mock=mock, size=(4.8, 1.6), **options)
    for (row, column), axis in np.ndenumerate(axes):
        flux = groups[names[column]][row]
        axis.plot(wavelength, flux, color=f"C{column}", **SPECTRUM)
        axis.set_xlim(wavelength[0], wavelength[-1])
        mark_lines(axis, names=())
    for column, name in enumerate(names):
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel(WAVELENGTH)
    figure.supylabel(FLUX, fontsize=9)
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
    rows = -(-len(titles) // columns)
    options = {"sharex": True, "squeeze": False}
    figure, axes = panels(rows, columns, mock=mock, size=(4.9, 1.5), **options)
    for number, axis in enumerate(axes.flat):
        if number >= len(titles):
            axis.set_axis_off()
            continue
        chosen = {name: flux[number] for name, flux in groups.items()}
        for place, (name, values) in enumerate(chosen.items()):
            lowered = values - 0.8 * place
            axis.plot(wavelength, lowered, linewidth=0.6, label=name)
        values = np.stack(list(chosen.values()))
        low, high = np.percentile(values, [0.3, 99.3])
        axis.set_ylim(low - 0.95, high + 0.15)  # the strongest lines may leave the frame
        axis.set_title(titles[number], fontsize=SMALL, pad=2)
        axis.set_xlim(wavelength[0], wavelength[-1])
        axis.set_yticks([])
    handles = axes[0, 0].get_lines()
    figure.legend(handles=handles, loc="outside lower center", ncols=len(groups))
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
    options = {"squeeze": False, "sharey": True}
    figure, axes = panels(1, len(curves), mock=mock, size=(5.2, 3.2), **options)
    shades = np.linspace(0, 1, len(amounts))
    colours = colormaps["coolwarm"](shades)
    labels = [f"{amount:+.1f} σ" for amount in amounts]
    for axis, name in zip(axes[0], curves, strict=True):
        lines = axis.plot(wavelength, np.transpose(curves[name]), **SPECTRUM)
        for line, label, colour in zip(lines, labels, colours, strict=True):
            line.set(label=label, color=colour)
        axis.set_xlabel(WAVELENGTH)
        axis.set_xlim(wavelength[0], wavelength[-1])
        axis.set_yscale("log")
        axis.set_ylim(0.2, 8)
        label_decades(axis.yaxis)
        axis.set_title(name, pad=16)
        mark_lines(axis, FEW)
    axes[0, 0].set_ylabel(FLUX)
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
    loss, distance, roughness = axes
    for name, losses in history.curves.items():
        loss.plot(history.steps, losses, label=name)
    loss.set_ylabel("loss")
    loss.legend()
    distance.plot(history.steps, history.metrics["distance"], "o-")
    distance.set_ylabel("Fréchet distance (features)")
    distance.set_yscale("log")
    label_decades(distance.yaxis)
    roughness.plot(history.steps, history.metrics["roughness"], "o-")
    roughness.axhline(1, color="grey", linestyle="--", linewidth=0.8)
    roughness.set_ylabel("roughness / real")
    roughness.set_ylim(0, 1.2)
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
        0, 1, 2 for young, middle, old: of the real spectrum, and of the one generated with its
        parameters.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = len(AGES)
    columns = len(real.columns)
    figure, axes = panels(rows, columns, mock=mock, size=(2.5, 1.6), sharex="col")
    for (group, column), axis in np.ndenumerate(axes):
        index = real.columns[column]
        low, high = np.nanpercentile(real[index], [0.5, 99.5])
        edges = np.linspace(low, high, 25)
        inside = groups == group
        theirs = real[index][inside]
        ours = generated[index][inside]
        axis.hist(theirs, edges, alpha=0.45, label="real")
        axis.hist(ours, edges, histtype="step", label="generated")
        axis.set_yticks([])
        if group == rows - 1:
            axis.set_xlabel(INDICES.get(index, index))
        if column == 0:
            axis.set_ylabel(AGES[group])
    axes[0, -1].legend(fontsize=SMALL)
    return figure


def velocities(velocity, r, *, mock):
    """Show the errors of redshifts against r.

    Parameters
    ----------
    velocity : array, shape (n,)
        Errors in km/s; what is beyond `FARTHEST` is drawn there.
    r : array, shape (n,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 2.9))
    drawn = np.clip(velocity, -FARTHEST, FARTHEST)
    axis.plot(r, drawn, ".", markersize=4, alpha=0.5)
    axis.axhspan(-300, 300, color="C2", alpha=0.12, label="within 300 km/s")
    axis.set_xlabel("r of the best template")
    axis.set_ylabel("error of the redshift [km/s]")
    axis.set_ylim(-FARTHEST - 20, FARTHEST + 20)
    axis.legend()
    return figure
