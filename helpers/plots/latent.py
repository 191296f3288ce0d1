"""Figures of the latent space of a generator of spectra. Each takes data and returns the Matplotlib figure."""

import numpy as np
from matplotlib import colormaps

from helpers.plots import panels

WAVELENGTH = "observed wavelength [Å]"
FLUX = "flux / brightness"


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
    curves = flux if flux.ndim == 4 else flux[:, :, None]
    rows, columns, k = curves.shape[:3]
    figure, axes = panels(
        rows, columns, mock=mock, size=size, sharex=True, sharey=True, squeeze=False
    )
    colours = colormaps["coolwarm"](np.linspace(0, 1, k)) if k > 1 else ["C0"]
    low, high = np.percentile(curves, [0.1, 99.9])
    for number, axis in enumerate(axes.flat):
        for curve, colour in zip(curves[number // columns, number % columns], colours, strict=True):
            axis.plot(wavelength, curve, linewidth=0.7, color=colour)
        axis.set(xlim=(wavelength[0], wavelength[-1]), ylim=(min(low, 0) - 0.05, 1.05 * high))
        if titles is not None:
            axis.set_title(titles[number], fontsize=8, pad=2)
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
    figure, axes = panels(1, 1 + len(curves), mock=mock, size=(3.6, 2.8))
    for number, (name, values) in enumerate(norms.items()):
        low, middle, high = np.percentile(values, [16, 50, 84], axis=0)
        axes[0].plot(fractions, middle, color=f"C{number}", label=name)
        axes[0].fill_between(fractions, low, high, color=f"C{number}", alpha=0.2)
    axes[0].set(xlabel="fraction of the way", ylabel="norm of the latent", ylim=(0, None))
    axes[0].legend(fontsize=8, loc="lower left")
    colours = colormaps["coolwarm"](np.linspace(0, 1, len(fractions)))
    top = max(flux.max() for flux in curves.values())
    for axis, (name, flux) in zip(axes[1:], curves.items(), strict=True):
        for values, colour in zip(flux, colours, strict=True):
            axis.plot(wavelength, values, linewidth=0.7, color=colour)
        axis.set(title=f"one {name} walk", xlabel=WAVELENGTH, ylabel=FLUX, ylim=(0, 1.05 * top))
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
    figure, axes = panels(1, len(names), mock=mock, size=(2.5, 2.4))
    for axis, x, y, name in zip(axes, projected.T, parameters.T, names, strict=True):
        high = y > np.median(y)
        for group, colour, label in ((~high, "C0", "low"), (high, "C3", "high")):
            axis.plot(
                x[group],
                y[group],
                ".",
                markersize=1.5,
                alpha=0.4,
                color=colour,
                label=label,
                rasterized=True,
            )
        axis.axvline(0, color="grey", linewidth=0.8)
        axis.set(title=name, xlabel="projection on the normal")
    axes[0].set_ylabel("parameter found [σ]")
    axes[0].legend(fontsize=8, markerscale=6)
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
    figure, axes = panels(
        len(found),
        len(names),
        mock=mock,
        size=(2.3, 2.0),
        sharex="col",
        sharey="col",
        squeeze=False,
    )
    for line, (design, values) in zip(axes, found.items(), strict=True):
        for axis, x, y in zip(line, asked.T, values.T, strict=True):
            limits = np.percentile(x, [0.5, 99.5])
            axis.plot(limits, limits, color="grey", linewidth=0.8)
            axis.plot(x, y, ".", markersize=2, alpha=0.4, rasterized=True)
            axis.set(xlim=limits * 1.2, ylim=limits * 1.2)
        line[0].set_ylabel(f"{design}\nfound [σ]", fontsize=8)
    for top, bottom, name in zip(axes[0], axes[-1], names, strict=True):
        top.set_title(name)
        bottom.set_xlabel("asked for [σ]")
    return figure
