"""Columns and fields of the 3D-HST master catalogue (Skelton et al. 2014, ApJS 214, 24)."""

from typing import NamedTuple

BANDS = ("F606W", "F814W", "F125W", "F140W", "F160W")
FLUXES = tuple(f"f_{band}" for band in BANDS)
ERRORS = tuple(f"e_{band}" for band in BANDS)
COLUMNS = [
    "id",
    "field",
    "ra",
    "dec",
    "x",
    "y",
    "z_spec",
    "z_peak",
    "faper_F140W",
    "eaper_F140W",
    "faper_F160W",
    "eaper_F160W",
    "f_F606W",
    "e_F606W",
    "f_F814W",
    "e_F814W",
    "f_F125W",
    "e_F125W",
    "f_F140W",
    "e_F140W",
    "f_F160W",
    "e_F160W",
    "tot_cor",
    "kron_radius",
    "a_image",
    "b_image",
    "flux_radius",
    "fwhm_image",
    "flags",
    "f140w_flag",
    "star_flag",
    "use_phot",
    "near_star",
    "nexp_f125w",
    "nexp_f140w",
    "nexp_f160w",
    "lmass",
    "Av",
]
ANSWERS = ("z_spec", "z_peak", "lmass", "Av")  # or computed at a redshift
QUALITY = ("flags", "f140w_flag", "star_flag", "use_phot", "near_star")
NOT_FEATURES = ANSWERS + QUALITY
FEATURES = tuple(name for name in COLUMNS if name not in NOT_FEATURES)  # the source's 29


class Field(NamedTuple):
    """A field of the survey: its letter in the catalogue, and its place in degrees."""

    letter: str
    ra: float
    dec: float


FIELDS = {
    "AEGIS": Field("a", 214.9, 52.8),
    "COSMOS": Field("c", 150.1, 2.3),
    "GOODS-N": Field("g", 189.2, 62.2),
    "GOODS-S": Field("g", 53.1, -27.8),
    "UDS": Field("u", 34.4, -5.2),
}
