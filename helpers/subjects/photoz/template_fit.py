"""The traditional way: the χ² of templates on a grid of redshifts, with a prior given a magnitude.

As in EAZY (Brammer, van Dokkum & Coppi 2008, ApJ 686, 1503), a non-negative combination of
templates is fitted at each redshift, and an error that stands for templates that are wrong is added
to that of each flux.
"""

from dataclasses import astuple, dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from helpers.astro import seds
from helpers.evaluation import distributions

AT_A_TIME = 64  # galaxies, so that their matrices fit into the cache
LOWEST = 0.02  # redshift of the grid
RIDGE = 1e-9  # added to the diagonal, relative to Σ w, so that all can be solved
TINY = 1e-300  # instead of 0, which nothing can be divided by
VALLEY = 0.05  # of the maximum: what is below it divides peaks of p(z)
PIVOT = 22  # magnitude
START = (1.5, 1.6, -0.2, 0.15)  # of the prior: a survey of this depth, roughly


def published_templates():
    """Six spectra to fit with, shape (6, m) on `seds.REST`.

    Those of Coleman, Wu & Weedman, with emission lines on Im; Scd behind dust of A_V = 1.5; and
    young stars, λ^-2.3 with lines.
    """
    elliptical, sbc, scd, irregular = map(seds.cww, seds.CWW)
    dimming = 10 ** (-0.6 * seds.attenuation(seds.REST))  # -0.4 A_V
    dusty = seds.normalised(scd * dimming)
    lines = 60 * seds.emission_lines()
    young = seds.power_law(-2.3) + lines
    return np.stack([elliptical, sbc, scd, irregular + lines, dusty, young])


@dataclass(frozen=True)
class MagnitudePrior:
    """p(z | m) ∝ z^a exp(-(z / z_m)^b) with z_m = exp(c + d (m - 22)).

    As in Benítez (2000, ApJ 536, 571, eq. 23). The default numbers describe a survey of this depth
    roughly; `fit` takes them from training galaxies.
    """

    a: float = START[0]
    b: float = START[1]
    c: float = START[2]
    d: float = START[3]

    def log_density(self, z, magnitude):
        """Logarithm of the density for all pairs of redshifts and magnitudes.

        Parameters
        ----------
        z : array, shape (n_z,)
        magnitude : array, shape (n,)

        Returns
        -------
        numpy.ndarray, shape (n, n_z)
        """
        return _log_prior(astuple(self), z, np.asarray(magnitude)[:, None])

    @classmethod
    def fit(cls, magnitude, z):
        """Return the prior of the largest likelihood for galaxies.

        Parameters
        ----------
        magnitude, z : array, shape (n,)
        """

        def cost(numbers):
            a, b, *_ = numbers
            if not (0.1 < a < 5 and 1 < b < 5):
                return np.inf
            return -np.mean(_log_prior(numbers, z, magnitude))

        options = {"maxiter": 2000}
        found = minimize(cost, START, method="Nelder-Mead", options=options)
        return cls(*found.x)


def _log_prior(numbers, z, magnitude):
    a, b, c, d = numbers
    log_z = np.log(z)
    log_scale = c + d * (magnitude - PIVOT)
    power = a + 1
    log_norm = np.log(b) - power * log_scale - gammaln(power / b)
    with np.errstate(over="ignore"):
        tail = np.exp(b * (log_z - log_scale))
    return log_norm + a * log_z - tail


class TemplateFit:
    """Fit templates in given bands.

    Parameters
    ----------
    bands : sequence of str
        As `seds.throughput` knows them.
    templates : array, shape (k, m), optional
        Energy per frequency on `seds.REST`; by default `published_templates`.
    step : float
        Of the grid in ln(1 + z).
    z_max : float
    template_error : float
        Relative to the flux, added in quadrature to its error.
    at_most : int
        Templates in a combination. With five bands and two or more of them free, little is left to
        tell redshifts.
    """

    def __init__(self, bands, templates=None, step=0.01, z_max=5.0, template_error=0.05, at_most=2):
        if templates is None:
            templates = published_templates()
        self.bands = tuple(bands)
        self.template_error = template_error
        self.at_most = at_most
        start = np.log1p(LOWEST)
        end = np.log1p(z_max)
        log_1z = np.arange(start, end, step)
        self.grid = np.expm1(log_1z)
        self.models = seds.through_filters(templates, self.bands, self.grid)  # (n_z, k, bands)

    def weights(self, flux, error):
        """Inverse variance with the template error, shape (n, bands); 0 where a flux is missing."""
        with_error = np.isfinite(error) & (np.asarray(error) > 0)
        known = np.isfinite(flux) & with_error
        measured = np.where(known, error, 1.0)
        by_templates = self.template_error * np.where(known, flux, 0.0)
        variance = measured**2 + by_templates**2
        return np.where(known, 1 / variance, 0.0)

    def chi2(self, flux, error):
        """Smallest χ² of a non-negative combination of the templates at each redshift.

        Parameters
        ----------
        flux, error : array, shape (n, bands)
            NaN where not measured; a flux without an error is left out as well.

        Returns
        -------
        numpy.ndarray, shape (n, n_z)
        """
        flux = np.asarray(flux, dtype=float)
        error = np.asarray(error, dtype=float)
        n_bands = len(self.bands)
        if flux.shape != error.shape or flux.shape[1:] != (n_bands,):
            found = f"found {flux.shape} and {error.shape}"
            raise ValueError(f"expected (n, {n_bands}) fluxes and errors, {found}")
        weight = self.weights(flux, error)
        flux = np.nan_to_num(flux)
        result = np.empty((len(flux), len(self.grid)))
        for start in range(0, len(flux), AT_A_TIME):
            rows = slice(start, start + AT_A_TIME)
            result[rows] = self._chi2(flux[rows], weight[rows])
        return result

    def _chi2(self, flux, weight):
        n_z, k, n_bands = self.models.shape
        norms = np.linalg.norm(self.models, axis=2, keepdims=True)
        models = self.models / norms.clip(TINY)
        products = np.einsum("zkb,zlb->zklb", models, models)
        products = products.reshape(-1, n_bands)
        matrix = (weight @ products.T).reshape(-1, n_z, k, k)
        ridge = RIDGE * (weight.sum(axis=1) + TINY)
        matrix += ridge[:, None, None, None] * np.eye(k)
        weighted = weight * flux
        models = models.reshape(-1, n_bands)
        vector = (weighted @ models.T).reshape(-1, n_z, k)
        gain = nonnegative_gain(matrix, vector, min(self.at_most, k))
        of_nothing = (weight * flux**2).sum(axis=1, keepdims=True)
        return np.maximum(of_nothing - gain, 0)

    def log_posterior(self, flux, error, prior=None, magnitude=None):
        """Logarithm of p(z | fluxes) up to a constant: -χ²/2, and the prior where m is known.

        Parameters
        ----------
        flux, error, prior, magnitude
            As `redshift`.

        Returns
        -------
        numpy.ndarray, shape (n, n_z)
        """
        result = -self.chi2(flux, error) / 2
        if prior is not None:
            known = np.isfinite(magnitude)
            result[known] += prior.log_density(self.grid, magnitude[known])
        return result - result.max(axis=1, keepdims=True)

    def redshift(self, flux, error, prior=None, magnitude=None):
        """Fit redshifts.

        Parameters
        ----------
        flux, error : array, shape (n, bands)
        prior : MagnitudePrior, optional
        magnitude : array, shape (n,), optional
            Which the prior is for; NaN where unknown.

        Returns
        -------
        dict of str to numpy.ndarray
            "peak", shape (n,): the mean over the peak with the largest probability, as EAZY's
            z_peak; "mean" and "median", shape (n,), over the whole p(z); "cumulative", shape (n,
            n_z), on `grid`.
        """
        density = np.exp(self.log_posterior(flux, error, prior, magnitude))
        cumulative = distributions.from_density(self.grid, density)
        return {
            "peak": _main_peak(self.grid, density),
            "mean": distributions.mean(self.grid, cumulative),
            "median": distributions.quantile(self.grid, cumulative, 0.5),
            "cumulative": cumulative,
        }


def nonnegative_gain(matrix, vector, at_most):
    """Largest decrease of χ² by a non-negative combination of so many templates, for many fits.

    The best combination is, on the templates that it uses, the ordinary least-squares solution with
    all amplitudes above 0. So it is found exactly by solving for each small set of templates and
    keeping those solutions.

    Parameters
    ----------
    matrix : array, shape (..., k, k)
        Σ w m m', scaled so that its diagonal is of order Σ w.
    vector : array, shape (..., k)
        Σ w f m.
    at_most : int

    Returns
    -------
    numpy.ndarray, shape (...)
        max over a ≥ 0 of 2 a·b - a·A·a.
    """
    templates = range(vector.shape[-1])
    gain = np.zeros(vector.shape[:-1])
    for size in range(1, at_most + 1):
        for chosen in combinations(templates, size):
            right = vector[..., chosen]
            left = matrix[..., chosen, :][..., chosen]
            amplitude = _solve(left, right)
            allowed = (amplitude >= 0).all(axis=-1)
            reached = (amplitude * right).sum(axis=-1)
            reached[~allowed] = 0
            np.maximum(gain, reached, out=gain)
    return gain


def _solve(left, right):
    """Solutions of many small systems: shape (..., k)."""
    if right.shape[-1] == 1:
        return right / left[..., 0]
    return np.linalg.solve(left, right[..., None])[..., 0]


def _main_peak(grid, density):
    """Mean redshift over the stretch, between valleys, with the largest probability."""
    width = np.gradient(grid)
    peaks = np.empty(len(density))
    for row, values in enumerate(density):
        high = values > VALLEY * values.max()
        begins = np.diff(high, prepend=False) & high
        label = np.cumsum(begins) * high  # 0 in valleys
        probability = values * width
        mass = np.bincount(label, probability)
        mass[0] = 0
        inside = label == mass.argmax()
        peaks[row] = np.average(grid[inside], weights=probability[inside])
    return peaks
