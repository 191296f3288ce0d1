"""Figures of the latent space of a generator: each takes data and returns the Matplotlib figure."""

import numpy as np
from matplotlib import colormaps

from helpers.plots import panels

WAVELENGTH = "observed wavelength [Å]"
FLUX = "flux / brightness"
SPECTRUM = {"linewidth": 0.7}
GUIDE = {"color": "grey", "linewidth": 0.8}
DOTS = {"marker": ".", "markersize": 2, "linestyle": "", "alpha": 0.4, "rasterized": True}
SMALL = 8  # points, of text


def _draw_curves(axis, wavelength, curves):
    """Draw curves from blue to red; a single one in the first colour."""
    shades = np.linspace(0, 1, len(curves))
    colours = colormaps["coolwarm"](shades)
    if len(curves) == 1:
        colours = ["C0"]
    for curve, colour in zip(curves, colours, strict=True):
        axis.plot(wavelength, curve, color=colour, **SPECTRUM)


def grid(wavelength, flux, titles=None, *, mock, size=(2.6, 1.5), label=WAVELENGTH):
    """Show spectra in rows and columns.

    Parameters
    ----------
    wavelength : array, shape (n_bins,)
    flux : array, shape (n_rows, n_columns, n_bins)
        Relative flux; or (n_rows, n_columns, k, n_bins), then k curves a panel from blue to red.
    titles : sequence of str, optional
        One a panel, row by row.
    mock : bool
    size : (float, float)
        Of one panel in inches.
    label : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    flux = np.asarray(flux)
    if flux.ndim == 3:
        flux = flux[:, :, None]
    rows, columns, *_ = flux.shape
    options = {"sharex": True, "sharey": True, "squeeze": False}
    figure, axes = panels(rows, columns, mock=mock, size=size, **options)
    low, high = np.percentile(flux, [0.1, 99.9])
    for place, axis in np.ndenumerate(axes):
        _draw_curves(axis, wavelength, flux[place])
        axis.set_xlim(wavelength[0], wavelength[-1])
        axis.set_ylim(min(low, 0) - 0.05, 1.05 * high)
    if titles is not None:
        for axis, title in zip(axes.flat, titles, strict=True):
            axis.set_title(title, fontsize=SMALL, pad=2)
    figure.supxlabel(label, fontsize=9)
    figure.supylabel(FLUX, fontsize=9)
    return figure


def walks(fractions, norms, curves, wavelength, *, mock):
    """Show how long latents are along two kinds of walk, and the spectra on one of each.

    Parameters
    ----------
    fractions : array, shape (t,)
        Of the way.
    norms : dict of str to array, shape (n, t)
        Of n walks of each kind.
    curves : dict of str to array, shape (t, n_bins)
        Relative flux along one walk of each kind.
    wavelength : array, shape (n_bins,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = 1 + len(curves)
    figure, axes = panels(1, columns, mock=mock, size=(3.6, 2.8))
    lengths, *others = axes
    for number, (name, values) in enumerate(norms.items()):
        low, middle, high = np.percentile(values, [16, 50, 84], axis=0)
        colour = f"C{number}"
        lengths.plot(fractions, middle, color=colour, label=name)
        lengths.fill_between(fractions, low, high, color=colour, alpha=0.2)
    lengths.set_xlabel("fraction of the way")
    lengths.set_ylabel("norm of the latent")
    lengths.set_ylim(0, None)
    lengths.legend(fontsize=SMALL, loc="lower left")
    top = max(flux.max() for flux in curves.values())
    for axis, name in zip(others, curves, strict=True):
        _draw_curves(axis, wavelength, curves[name])
        axis.set_title(f"one {name} walk")
        axis.set_xlabel(WAVELENGTH)
        axis.set_ylabel(FLUX)
        axis.set_ylim(0, 1.05 * top)
    return figure


def projections(projected, parameters, names, *, mock):
    """Show parameters against the projection of latents on the normals of separating hyperplanes.

    Parameters
    ----------
    projected, parameters : array, shape (n, k)
        The projection on the k-th normal, and the k-th parameter found in the spectrum.
    names : sequence of str
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = len(names)
    figure, axes = panels(1, columns, mock=mock, size=(2.5, 2.4))
    dots = DOTS | {"markersize": 1.5}
    for k, axis in enumerate(axes):
        x = projected[:, k]
        y = parameters[:, k]
        high = y > np.median(y)
        axis.plot(x[~high], y[~high], color="C0", label="low", **dots)
        axis.plot(x[high], y[high], color="C3", label="high", **dots)
        axis.axvline(0, **GUIDE)
        axis.set_title(names[k])
        axis.set_xlabel("projection on the normal")
    axes[0].set_ylabel("parameter found [σ]")
    axes[0].legend(fontsize=SMALL, markerscale=6)
    return figure


def asked_and_found(asked, found, names, *, mock):
    """Show the parameters found in generated spectra against those asked for.

    Parameters
    ----------
    asked : array, shape (n, k)
    found : dict of str to array, shape (n, k)
        By the design of the generator, a row of panels each.
    names : sequence of str
        Of the k parameters.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = len(found)
    columns = len(names)
    options = {"sharex": "col", "sharey": "col", "squeeze": False}
    figure, axes = panels(rows, columns, mock=mock, size=(2.3, 2.0), **options)
    for (row, k), axis in np.ndenumerate(axes):
        design = list(found)[row]
        x = asked[:, k]
        y = found[design][:, k]
        limits = np.percentile(x, [0.5, 99.5])
        axis.plot(limits, limits, **GUIDE)
        axis.plot(x, y, **DOTS)
        axis.set_xlim(*limits * 1.2)
        axis.set_ylim(*limits * 1.2)
        if row == 0:
            axis.set_title(names[k])
        if row == rows - 1:
            axis.set_xlabel("asked for [σ]")
        if k == 0:
            axis.set_ylabel(f"{design}\nfound [σ]", fontsize=SMALL)
    return figure
