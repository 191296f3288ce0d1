"""Noise of a fibre spectrograph: photons of object and sky, sky lines, calibration, lost pixels.

The variance of a pixel is g(wavelength)² (flux + sky), as for photons counted behind a throughput.
The tables ``gain``, ``sky_continuum`` and ``sky_lines`` say in their heads how they were measured.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers.astro.lines import air_to_vacuum
from helpers.astro.tables import read_table
from helpers.subjects.spectra.stellar import TABLES

LINE_WIDTH = 1.0  # sigma of a sky line in pixels of 1e-4 dex
LINE_REACH = 8  # pixels to either side within which it is drawn

# How much a night differs from the typical one, dex
EXPOSURE_SCATTER = 0.05
CONTINUUM_SCATTER = 0.06
LINE_SCATTER = 0.12

# What the reduction leaves, and no error tells of
LINE_LEFT = 0.02  # of the brightness of sky lines
LINE_SHIFT = 0.015  # pixels
CALIBRATION = 0.02  # of the flux: a tilt, and a bend

LOST_RUNS = 2.0  # a spectrum, on average
LONGEST_RUN = 6  # pixels
SPIKES = 0.25  # share of lost runs that a cosmic ray hit
SPIKE_HEIGHT = 30  # times the error, on average


class _Sky(NamedTuple):
    """What is known of the sky and the spectrograph in each pixel, float32.

    Attributes
    ----------
    gain : numpy.ndarray, shape (n_pix,)
        g squared.
    continuum : numpy.ndarray, shape (n_pix,)
    lines, slopes : numpy.ndarray, shape (n_groups, n_pix)
        Brightness of each group of lines, and minus its derivative by pixel.
    """

    gain: np.ndarray
    continuum: np.ndarray
    lines: np.ndarray
    slopes: np.ndarray


@lru_cache(maxsize=4)
def _sky(log_start, n_pix):
    wavelength = 10 ** (log_start + 1e-4 * np.arange(n_pix))
    gain, _ = read_table(TABLES / "gain.ecsv")
    continuum, _ = read_table(TABLES / "sky_continuum.ecsv")
    g = np.interp(wavelength, gain["wavelength"], gain["gain"])
    brightness = np.interp(wavelength, continuum["wavelength"], continuum["brightness"])
    arrays = (g**2, brightness, *_sky_lines(log_start, n_pix))
    return _Sky(*(array.astype(np.float32) for array in arrays))


def _sky_lines(log_start, n_pix):
    """Lines and slopes of `_Sky`."""
    table, _ = read_table(TABLES / "sky_lines.ecsv")
    wavelength = air_to_vacuum(table["wavelength"])
    place = (np.log10(wavelength) - log_start) * 1e4
    n_groups = table["group"].max() + 1
    lines = np.zeros((n_groups, n_pix))
    slopes = np.zeros_like(lines)
    for row, group in enumerate(table["group"]):
        x = (np.arange(n_pix) - place[row]) / LINE_WIDTH
        near = np.abs(x) < LINE_REACH
        x = x[near]
        profile = table["peak"][row] * np.exp(-0.5 * x**2)
        lines[group, near] += profile
        slopes[group, near] += profile * x / LINE_WIDTH
    return lines, slopes


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
        The error is that of the photons. What is left of the sky lines and the calibration are not
        in it, as they are not in those of a survey. Lost pixels have an infinite error, and every
        fourth run of them a flux far off.
    """
    n, n_pix = flux.shape
    normal = _normal(rng)
    sky = _sky(round(log_start, 6), n_pix)
    exposure = 10 ** (EXPOSURE_SCATTER * normal(n, 1))
    darkness = 10 ** (CONTINUUM_SCATTER * normal(n, 1))
    strength = 10 ** (LINE_SCATTER * normal(n, len(sky.lines)))
    brightness = darkness * sky.continuum + strength @ sky.lines
    light = np.maximum(flux, 0) + brightness
    error = np.sqrt(sky.gain * exposure * light)
    observed = flux * _calibration(n, n_pix, normal)
    observed += error * normal(n, n_pix)
    left = strength * normal(*strength.shape)
    shifted = strength * normal(*strength.shape)
    residuals = LINE_LEFT * left @ sky.lines
    residuals += LINE_SHIFT * shifted @ sky.slopes
    observed += residuals
    _lose_pixels(observed, error, rng)
    return observed, error


def _calibration(n, n_pix, normal):
    """Factor on the flux that is smooth in the wavelength: shape (n, n_pix)."""
    x = np.linspace(-1, 1, n_pix, dtype=np.float32)
    shapes = np.stack([x, 2 * x**2 - 1])
    return np.exp(CALIBRATION * normal(n, len(shapes)) @ shapes)


def _lose_pixels(observed, error, rng):
    """Give runs of pixels an infinite error, and some of them a flux far off, in place."""
    n, n_pix = observed.shape
    row = np.repeat(np.arange(n), rng.poisson(LOST_RUNS, n))
    n_runs = len(row)
    start = rng.integers(0, n_pix - LONGEST_RUN - 2, n_runs)
    length = rng.integers(1, LONGEST_RUN + 1, n_runs)
    hit = rng.random(n_runs) < SPIKES
    height = rng.exponential(SPIKE_HEIGHT, n_runs).astype(np.float32)
    runs = zip(row, start, start + length, strict=True)
    lost = [np.s_[i, first:last] for i, first, last in runs]
    for number in np.flatnonzero(hit):
        pixels = lost[number]
        observed[pixels] += height[number] * error[pixels]
    for pixels in lost:  # only now, since runs may overlap
        error[pixels] = np.inf


def _normal(rng):
    """A function of a shape that draws standard normal numbers in float32."""
    return lambda *shape: rng.standard_normal(shape, dtype=np.float32)
