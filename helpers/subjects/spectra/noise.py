"""Noise of a fibre spectrograph: photons of object and sky, badly subtracted sky lines, calibration, lost pixels.

The variance of a pixel is g(lambda)^2 (flux + sky), as for photons counted behind a throughput. g and the continuum
of the sky were measured, in bins of 200 Å, on the errors, the flux and the sky of spec-0266-51602-0013 (3800 to
9200 Å, one hour; in the registry as sdss_spectrum), and continued by hand beyond. Sky lines are those of Osterbrock
et al. (1996, PASP 108, 277) and of twilight oxygen and sodium, with brightnesses read off the same spectrum.
"""

from functools import lru_cache

import numpy as np

_GAIN = (
    (
        3550,
        3700,
        3850,
        4000,
        4100,
        4300,
        4500,
        4700,
        4900,
        5100,
        5500,
        5900,
        6100,
        6300,
        6700,
        7500,
        7900,
        8300,
        8700,
    )
    + (9000, 9200, 9500, 9800, 10100, 10400),
    (
        1.60,
        1.20,
        0.85,
        0.64,
        0.54,
        0.43,
        0.33,
        0.295,
        0.264,
        0.237,
        0.224,
        0.215,
        0.190,
        0.168,
        0.158,
        0.160,
        0.167,
    )
    + (0.190, 0.220, 0.270, 0.30, 0.36, 0.45, 0.60, 0.90),
)
_CONTINUUM = (
    (3550, 4000, 4400, 5000, 5600, 5900, 6100, 6600, 7000, 8000, 9000, 10400),
    (6.0, 7.0, 7.2, 6.6, 8.0, 11.0, 9.2, 6.2, 6.5, 6.8, 5.5, 6.5),
)
_LINES = (  # groups that vary together: wavelength in air and brightness at the peak, in units of the flux
    (5577.34, 550),
    (5889.95, 90, 5895.92, 60),
    (6300.30, 72, 6363.78, 24),
    (6498.7, 8, 6533.0, 8, 6553.6, 8, 6863.9, 30, 6912.6, 14, 6923.2, 20, 6939.5, 14),
    (
        7240.2,
        24,
        7244.9,
        30,
        7276.4,
        68,
        7284.4,
        36,
        7303.7,
        56,
        7316.3,
        70,
        7329.1,
        30,
        7340.9,
        66,
        7358.7,
        18,
    )
    + (7369.3, 40, 7401.7, 30),
    (
        7712.1,
        30,
        7715.0,
        34,
        7750.6,
        97,
        7759.9,
        20,
        7780.4,
        30,
        7794.1,
        108,
        7808.5,
        48,
        7821.5,
        100,
        7841.3,
        68,
    )
    + (
        7853.3,
        72,
        7870.7,
        22,
        7890.0,
        28,
        7913.7,
        90,
        7921.0,
        50,
        7949.2,
        54,
        7964.7,
        84,
        7993.3,
        80,
        8014.1,
        24,
    )
    + (8025.8, 42, 8062.4, 18),
    (
        8281.8,
        60,
        8288.6,
        92,
        8298.4,
        80,
        8310.7,
        60,
        8344.6,
        180,
        8352.8,
        78,
        8382.4,
        104,
        8399.2,
        170,
        8415.2,
        84,
    )
    + (8430.2, 154, 8452.3, 112, 8465.4, 130, 8493.4, 90, 8504.8, 78, 8548.7, 30),
    (
        8761.2,
        46,
        8767.9,
        132,
        8778.3,
        100,
        8791.2,
        90,
        8827.1,
        230,
        8836.0,
        104,
        8849.9,
        140,
        8867.6,
        150,
        8885.9,
        270,
    )
    + (
        8903.1,
        150,
        8919.6,
        240,
        8943.4,
        160,
        8957.9,
        200,
        8988.4,
        150,
        9001.6,
        100,
        9037.1,
        60,
        9049.7,
        54,
    ),
    (
        9313.0,
        190,
        9323.0,
        110,
        9337.9,
        220,
        9375.9,
        300,
        9399.7,
        170,
        9419.7,
        190,
        9439.7,
        240,
        9458.5,
        180,
    )
    + (9476.8, 260, 9502.8, 240, 9519.3, 210, 9552.5, 190, 9567.6, 170, 9607.9, 100, 9620.6, 90),
    (
        9700.3,
        160,
        9719.8,
        210,
        9740.6,
        150,
        9790.2,
        130,
        9848.0,
        200,
        9872.1,
        330,
        9914.7,
        350,
        9924.1,
        140,
        9955.3,
        190,
    )
    + (9999.6, 230, 10013.6, 300, 10082.5, 320, 10124.0, 260, 10171.6, 200, 10213.1, 160),
)
LINE_WIDTH = 1.0  # sigma of a sky line in pixels of 1e-4 dex


@lru_cache(maxsize=4)
def _sky(log_start, n_pix):
    """g squared, sky continuum, and the brightness of the groups of lines and its slope by pixel."""
    wavelength = 10 ** (log_start + 1e-4 * np.arange(n_pix))
    lines, slopes = np.zeros((2, len(_LINES), n_pix))
    for group, (line, slope) in zip(_LINES, zip(lines, slopes, strict=True), strict=True):
        for centre, peak in zip(group[::2], group[1::2], strict=True):
            x = (
                np.arange(n_pix) - (np.log10(centre * 1.000276) - log_start) * 1e4
            ) / LINE_WIDTH  # in vacuum
            near = np.abs(x) < 8
            line[near] += peak * np.exp(-0.5 * x[near] ** 2)
            slope[near] += peak * x[near] / LINE_WIDTH * np.exp(-0.5 * x[near] ** 2)
    arrays = np.interp(wavelength, *_GAIN) ** 2, np.interp(wavelength, *_CONTINUUM), lines, slopes
    return tuple(array.astype(np.float32) for array in arrays)


def observe(flux, rng, log_start):
    """Spectra as a spectrograph records them.

    Parameters
    ----------
    flux : array of float32, shape (n, n_pix)
        Noise-free, in 1e-17 erg/s/cm²/Å, on a grid of 1e-4 dex.
    rng : numpy.random.Generator
        The only source of randomness.
    log_start : float
        log10 of the first wavelength in Å.

    Returns
    -------
    flux, error : arrays of float32, shape (n, n_pix)
        The error is that of the photons. What is left of the sky lines (2 % of their brightness, and a shift by
        1.5 % of a pixel) and the calibration (some 2 %, smooth) are not in it, as they are not in those of a survey.
        Lost pixels, in runs of 1 to 6, have an infinite error, and every fourth run a flux far off.
    """
    n, n_pix = flux.shape
    gain, continuum, lines, slopes = _sky(round(log_start, 6), n_pix)
    normal = _normal(rng)
    exposure, darkness = 10 ** (0.05 * normal(n, 1)), 10 ** (0.06 * normal(n, 1))
    strength = 10 ** (0.12 * normal(n, len(lines)))
    sky = darkness * continuum + strength @ lines
    error = np.sqrt(gain * exposure * (np.maximum(flux, 0) + sky))
    x = np.linspace(-1, 1, n_pix, dtype=np.float32)
    tilt = normal(n, 2)
    observed = flux * np.exp(0.02 * tilt @ np.stack([x, 2 * x**2 - 1]))
    observed += error * normal(n, n_pix)
    left = strength * normal(*strength.shape), strength * normal(*strength.shape)
    observed += 0.02 * left[0] @ lines + 0.015 * left[1] @ slopes
    runs = rng.poisson(2.0, n)
    row = np.repeat(np.arange(n), runs)
    start, length = rng.integers(0, n_pix - 8, len(row)), rng.integers(1, 7, len(row))
    height = np.where(rng.random(len(row)) < 0.25, rng.exponential(30, len(row)), 0).astype(
        np.float32
    )
    lost = [
        np.s_[i, first : first + size] for i, first, size in zip(row, start, length, strict=True)
    ]
    for pixels, spike in zip(lost, height, strict=True):
        observed[pixels] += spike * error[pixels]
    for pixels in lost:  # only now, since runs may overlap
        error[pixels] = np.inf
    return observed, error


def _normal(rng):
    """A function of a shape that draws standard normal numbers in float32."""
    return lambda *shape: rng.standard_normal(shape, dtype=np.float32)
