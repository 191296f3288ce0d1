"""Spectra as a network takes them: cleaned, on a coarse grid, split, scaled, with parameters."""

from dataclasses import dataclass

import numpy as np

from helpers.subjects.spectra import prepare

PARAMETERS = {  # by the names of figures and tables; of metallicity and mass the logarithms
    "z": lambda spectra: spectra.redshift,
    "age": lambda spectra: spectra.age,
    "metallicity": lambda spectra: np.log10(spectra.metallicity),
    "mass": lambda spectra: np.log10(spectra.mass),
}
NAMES = tuple(PARAMETERS)


def parameters(spectra):
    """Redshift, age in Gyr, log10 of metallicity (solar units) and of mass (M☉): shape (n, 4)."""
    return np.column_stack([value(spectra) for value in PARAMETERS.values()])


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
        The parameters, with mean 0 and deviation 1 over the training rows.
    parameters : numpy.ndarray, shape (n, 4)
        As the function `parameters` gives them, in the order of `NAMES`.
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
        Wavelengths in Å of the brightness by which a spectrum is divided: so wide that no line
        matters.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ValueError
        If no spectrum is left for the test set.
    helpers.datasets.files.DataError
        If no good spectra are left.
    """
    kept, _ = prepare.clean(spectra)
    if n_train + n_validation >= len(kept):
        expected = f"expected more than {n_train} + {n_validation} good spectra"
        raise ValueError(f"{expected}, found {len(kept)}: load more, or train on fewer")
    edges = prepare.common_grid(kept.wavelength[0], kept.wavelength[-1], n_bins)
    wavelength = prepare.centres(edges)
    flux, _ = prepare.rebin(kept.wavelength, kept.flux, kept.error, edges)
    order = np.random.default_rng(seed).permutation(len(kept))
    train, validation, test = np.split(order, [n_train, n_train + n_validation])
    scale = prepare.Normaliser.fit(wavelength, flux[train], window)
    values, _ = scale.transform(flux)
    raw = parameters(kept)
    conditions = (raw - raw[train].mean(axis=0)) / raw[train].std(axis=0)
    return TrainingSet(
        wavelength=wavelength,
        values=values.astype(np.float32),
        conditions=conditions.astype(np.float32),
        parameters=raw,
        train=train,
        validation=validation,
        test=test,
        scale=scale,
        mock=spectra.mock,
    )
