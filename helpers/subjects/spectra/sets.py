"""Spectra as a network takes them: cleaned, on a coarse grid, split, scaled, with their parameters."""

from dataclasses import dataclass

import numpy as np

from helpers.subjects.spectra import prepare

NAMES = ("z", "age", "metallicity", "mass")


@dataclass(frozen=True)
class TrainingSet:
    """Normalised spectra with their standardised parameters, split into three parts.

    Attributes
    ----------
    wavelength : numpy.ndarray, shape (n_bins,)
        Observer frame, vacuum, Å.
    values : numpy.ndarray of float32, shape (n, n_bins)
        Normalised by `scale`.
    conditions : numpy.ndarray of float32, shape (n, 4)
        Redshift, age, log metallicity and log mass, with mean 0 and deviation 1 over the training rows.
    parameters : numpy.ndarray, shape (n, 4)
        The same before: age in Gyr, log10 of the metallicity in solar units, log10 of the mass in M☉.
    train, validation, test : numpy.ndarray of int
        Rows of the three parts, at random.
    scale : helpers.subjects.spectra.prepare.Normaliser
        Learned from the training rows.
    mock : bool
    """

    wavelength: np.ndarray
    values: np.ndarray
    conditions: np.ndarray
    parameters: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    scale: prepare.Normaliser
    mock: bool

    def part(self, name):
        """Values and conditions of one part: "train", "validation" or "test"."""
        rows = getattr(self, name)
        return self.values[rows], self.conditions[rows]

    def flux(self, values):
        """Relative flux of normalised spectra: the mean is about 1."""
        return self.scale.inverse(values)


def training_set(spectra, n_train, n_validation, *, n_bins=128, seed=0, window=(6000, 8000)):
    """Prepare spectra, in the observer's frame, so that a redshift is to be seen in them.

    Parameters
    ----------
    spectra : helpers.subjects.spectra.data.Spectra
    n_train, n_validation : int
        Sizes of two of the parts; what is left is the test set.
    n_bins : int
        Of equal width in log wavelength.
    seed : int
        Of the split.
    window : (float, float)
        Wavelengths in Å of the brightness by which a spectrum is divided: so wide that no line matters.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ValueError
        If no spectrum is left for the test set.
    helpers.datasets.DataError
        If no good spectra are left.
    """
    kept, _ = prepare.clean(spectra)
    if n_train + n_validation >= len(kept):
        raise ValueError(
            f"expected more than {n_train} + {n_validation} good spectra, found {len(kept)}: load more, or train on fewer"
        )
    edges = prepare.common_grid(kept.wavelength[0], kept.wavelength[-1], n_bins)
    flux, _ = prepare.rebin(kept.wavelength, kept.flux, kept.error, edges)
    order = np.random.default_rng(seed).permutation(len(kept))
    train, validation, test = np.split(order, [n_train, n_train + n_validation])
    scale = prepare.Normaliser.fit(prepare.centres(edges), flux[train], window)
    logarithms = np.log10(kept.metallicity), np.log10(kept.mass)
    parameters = np.column_stack([kept.redshift, kept.age, *logarithms])
    conditions = (parameters - parameters[train].mean(axis=0)) / parameters[train].std(axis=0)
    arrays = scale.transform(flux)[0].astype(np.float32), conditions.astype(np.float32), parameters
    return TrainingSet(
        prepare.centres(edges), *arrays, train, validation, test, scale, spectra.mock
    )
