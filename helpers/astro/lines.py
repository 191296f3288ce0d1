"""Lines of galaxies in the optical, and wavelengths in vacuum (SDSS) and in air (older work)."""

from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    """A spectral line.

    Attributes
    ----------
    wavelength : float
        Rest wavelength in vacuum, in Å.
    kind : {"emission", "absorption", "both"}
        How it is usually seen in galaxies; Balmer lines are seen both ways, often one inside the
        other.
    """

    wavelength: float
    kind: str


# By the names in use, whose numbers are wavelengths in air. Values: NIST Atomic Spectra Database;
# the G band, a blend of CH and Fe, is where the SDSS line table puts it. H5 (Hε) lies on Ca H.
LINES = {
    "[O II] 3726": Line(3727.09, "emission"),
    "[O II] 3729": Line(3729.88, "emission"),
    "H10": Line(3798.98, "both"),
    "H9": Line(3836.48, "both"),
    "[Ne III] 3869": Line(3869.86, "emission"),
    "H8": Line(3890.16, "both"),
    "Ca K": Line(3934.78, "absorption"),
    "Ca H": Line(3969.59, "absorption"),
    "Hε": Line(3971.20, "both"),
    "Hδ": Line(4102.90, "both"),
    "G band": Line(4305.61, "absorption"),
    "Hγ": Line(4341.69, "both"),
    "[O III] 4363": Line(4364.44, "emission"),
    "Hβ": Line(4862.69, "both"),
    "[O III] 4959": Line(4960.30, "emission"),
    "[O III] 5007": Line(5008.24, "emission"),
    "Mg b 5167": Line(5168.76, "absorption"),
    "Mg b 5173": Line(5174.12, "absorption"),
    "Mg b 5184": Line(5185.05, "absorption"),
    "Fe 5270": Line(5271.00, "absorption"),
    "He I 5876": Line(5877.25, "emission"),
    "Na D 5890": Line(5891.58, "absorption"),
    "Na D 5896": Line(5897.56, "absorption"),
    "[O I] 6300": Line(6302.05, "emission"),
    "[N II] 6548": Line(6549.86, "emission"),
    "Hα": Line(6564.63, "both"),
    "[N II] 6583": Line(6585.27, "emission"),
    "[S II] 6716": Line(6718.29, "emission"),
    "[S II] 6731": Line(6732.67, "emission"),
}


def vacuum_to_air(wavelength):
    """Wavelength in standard air of a wavelength in vacuum.

    Parameters
    ----------
    wavelength : array of any shape
        In vacuum, in Å, above 2000 Å.

    Returns
    -------
    numpy.ndarray
        In air at 15 °C and 101 325 Pa with 450 ppm of CO2, in Å.

    Raises
    ------
    ValueError
        Below 2000 Å, where wavelengths are given in vacuum only (or the unit is not Å).

    Notes
    -----
    Refractive index of Ciddor (1996, Applied Optics 35, 1566), eq. 1; the older formula of
    Morton (1991, ApJS 77, 119), which SDSS uses, agrees with it within 0.01 Å from 3000 to 10 000
    Å.
    """
    wavelength = np.asarray(wavelength, float)
    return wavelength / _refractive_index(wavelength)


def air_to_vacuum(wavelength):
    """Wavelength in vacuum of one in standard air: the inverse of `vacuum_to_air`, to 1e-9 Å.

    Parameters
    ----------
    wavelength : array of any shape
        In air, in Å, above 2000 Å.

    Returns
    -------
    numpy.ndarray
        In vacuum, in Å.

    Raises
    ------
    ValueError
        As `vacuum_to_air`.
    """
    air = np.asarray(wavelength, float)
    vacuum = air
    for _ in range(4):  # each turn is some 1e-5 times closer
        vacuum = air * _refractive_index(vacuum)
    return vacuum


def _refractive_index(vacuum):
    if not np.all(vacuum >= 2000):
        raise ValueError(
            f"expected wavelengths in Å above 2000, found {np.min(vacuum):g}: convert the unit"
        )
    square = (1e4 / vacuum) ** 2  # of the wavenumber, in µm⁻²
    return 1 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square)
