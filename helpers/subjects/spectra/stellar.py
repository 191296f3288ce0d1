"""What galaxies shine with: populations of stars that are black bodies with lines, and ionised gas.

A star of effective temperature T and metallicity Z shines as a black body that is dimmed by
exp(-tau), where tau adds up ten sources of opacity (`_opacities`): the Balmer lines and edge, Ca H
and K, the calcium triplet, the lines of iron and its neighbours, CH and CN, magnesium and sodium,
TiO, and the metal edges and the haze of unresolved lines below 4000 Å. Where each lies, and how
strong it is at which temperature, is in ``tables/`` (`features`, `metal_lines`, `opacities`), with
sources. The strengths were made for this course, and follow the spectral sequence: Balmer lines
peak in A stars, Ca H and K and the G band in late G, TiO in M. They were set so that D4000 and
Hdelta_A of the populations grow older as those of Bruzual & Charlot (2003, MNRAS 344, 1000) do
(Kauffmann et al. 2003, MNRAS 341, 33, figure 2). It is a drawing of a stellar library and not one:
indices other than those two are right in sign and size only.

A population of one age is the main sequence up to the turn-off, with a Kroupa (2001, MNRAS 322,
231) mass function, and beyond it giants whose share of the light follows the fuel consumption
theorem (Maraston 2005, MNRAS 362, 799).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from helpers.astro.constants import SECOND_RADIATION_CONSTANT
from helpers.astro.lines import air_to_vacuum, vacuum_to_air
from helpers.astro.tables import read_table

TABLES = Path(__file__).with_name("tables")

N_PIX = 6400
LOG_START = 3.395  # log10 of the first wavelength of the rest-frame grid, in vacuum, in Å
LOG_STEP = 1e-4  # dex, that of SDSS

# Gyr: each stands for the ages up to half-way, in the logarithm, to its neighbours
AGES = np.array(
    [
        0.003,
        0.01,
        0.03,
        0.1,
        0.2,
        0.35,
        0.6,
        1.0,
        1.6,
        2.3,
        3.2,
        4.2,
        5.3,
        6.6,
        8.0,
        9.5,
        11.0,
        13.0,
    ]
)
_BETWEEN = np.sqrt(AGES[1:] * AGES[:-1])
_AGE_EDGES = np.r_[0, _BETWEEN, np.inf]
LOG_METALLICITIES = np.array([-1.3, -0.7, -0.3, 0.0, 0.3])  # log10 of Z over the solar one
SOLAR = 3  # its place among them
RECENT = 0.1  # Gyr: ages up to this one have a rate of their own in `mass_by_age`
N_YOUNGEST = 2  # ages that the present rate of star formation is a mean over

_HYDROGEN_EDGE = 3647.05  # of the Balmer series in vacuum, Å: 4 / the Rydberg constant
# Of the line from level n: depth relative to Hγ and Hδ
_BALMER_LEVELS = (3, 4, 5, 6, 8, 10, 12, 16)
_BALMER_DEPTHS = (0.75, 0.95, 1.0, 1.0, 0.9, 0.65, 0.4, 0.0)
_BALMER_WIDTH = 8.5  # Å at 4300 Å, half width at half maximum
_METAL_WIDTH = 1.3  # Å, sigma
_N_WEAK = 2600  # lines without a name, at random places, the same in every spectrum of the course
_WEAK_SEED = 1966

# Share of a population's bolometric light from beyond the main sequence, by log10 of the age in yr
_GIANT_SHARES = {
    6.5: 0.1,
    7.0: 0.25,
    7.5: 0.22,
    8.0: 0.22,
    8.5: 0.28,
    9.0: 0.40,
    9.5: 0.52,
    10.0: 0.62,
    10.2: 0.64,
}
_GIANTS = {
    4800: 0.32,
    4450: 0.27,
    4050: 0.20,
    3700: 0.13,
    3350: 0.08,
}  # K, and share of their light

# Before dust, over that of Hα. Balmer decrements: Osterbrock & Ferland 2006, case B at 10 000 K
HALPHA_OVER_HBETA = 2.863
_HDELTA_OVER_HBETA = 0.259
_HGAMMA_OVER_HBETA = 0.468
# Within doublets: Storey & Zeippen 2000, MNRAS 312, 813; [S II] and [O II] at low density
_O3_DOUBLET = 2.98
_N2_DOUBLET = 3.05
_O2_DOUBLET = (0.41, 0.59)  # shares of the light
_S2_DOUBLET = (0.58, 0.42)
# Typical of SDSS spectra: of gas that young stars ionise, where nothing better is known
_YOUNG_RATIOS = {"he1": 0.042, "o1": 0.04, "s2": 0.35}
# Of gas that old stars ionise: Cid Fernandes et al. 2011, MNRAS 413, 1687
_OLD_RATIOS = {"o2": 2.0, "ne3": 0.1, "o3": 0.55, "he1": 0.02, "o1": 0.2, "n2": 1.1, "s2": 0.7}


def wavelengths():
    """Vacuum wavelengths of the rest-frame grid: (6400,), 2483 to 10 838 Å, 1e-4 dex apart."""
    return 10 ** (LOG_START + LOG_STEP * np.arange(N_PIX))


def _gaussians(wavelength, centres, depths, sigma):
    """Sum of Gaussians of these depths: each is evaluated only within 6 sigma of its centre."""
    total = np.zeros_like(wavelength)
    reach = 6 * sigma
    for centre, depth in zip(air_to_vacuum(centres), depths, strict=True):
        ends = (centre - reach, centre + reach)
        near = slice(*np.searchsorted(wavelength, ends))
        total[near] += depth * _bell(wavelength[near], centre, sigma)
    return total


def _lorentzians(wavelength, centres, depths, half_width):
    """Sum of Lorentzians of these depths: the damping wings of strong lines.

    `half_width` is that at half maximum in Å, one for all or one for each.
    """
    distance = wavelength - air_to_vacuum(centres)[:, None]
    x = distance / np.reshape(half_width, (-1, 1))
    return np.asarray(depths) @ (1 / (1 + x**2))


def _bands(wavelength, heads, depths, scale):
    """Molecular bands: sharp at the head, fading over `scale` Å redwards, or bluewards below 0."""
    distance = wavelength - air_to_vacuum(heads)[:, None]
    x = distance / scale
    edge = np.clip(x * abs(scale) / 1.5, -50, 50)  # 1.5 Å wide
    tail = np.exp(-np.maximum(x, 0))
    profile = tail / (1 + np.exp(-edge))
    return np.asarray(depths) @ profile


PROFILES = {"gaussian": _gaussians, "lorentzian": _lorentzians, "band": _bands}


def _feature_profile(grid, features):
    """Sum of some rows of the table of features: shape (n_pix,)."""
    total = 0
    for kind, profile in PROFILES.items():
        of_kind = features["profile"] == kind
        if of_kind.any():
            centres, depths, widths = (
                features[x][of_kind] for x in ("wavelength", "depth", "width")
            )
            total = total + profile(grid, centres, depths, widths[0])  # one width a kind
    return total


def _balmer_lines(grid):
    levels = np.arange(3, 16)
    centres = _HYDROGEN_EDGE / (1 - 4 / levels**2)  # the Rydberg formula
    depths = np.interp(levels, _BALMER_LEVELS, _BALMER_DEPTHS)
    widths = _BALMER_WIDTH * (centres / 4300) ** 0.3
    return _lorentzians(grid, vacuum_to_air(centres), depths, widths)


def _metal_lines(grid):
    """Lines of iron and its neighbours, and a forest of weak ones, deeper in the blue."""
    named, _ = read_table(TABLES / "metal_lines.ecsv")
    rng = np.random.default_rng(_WEAK_SEED)
    place = rng.random(_N_WEAK) ** 1.6  # from the blue end (0) to the red end (1)
    first, *_, last = grid
    weak = first * (last / first) ** place
    bluer_is_deeper = np.clip((weak / 4600) ** -2.2, 0.15, 4)
    depths = rng.exponential(0.11, _N_WEAK) * bluer_is_deeper
    strong = _gaussians(grid, named["wavelength"], named["strength"], _METAL_WIDTH)
    return strong + _gaussians(grid, weak, depths, _METAL_WIDTH)


def _bell(grid, centre, sigma):
    """A Gaussian of height 1."""
    x = (grid - centre) / sigma
    return np.exp(-0.5 * x**2)


def _haze(grid):
    """Metal edges below 3990 Å, deepest at 3836 Å, and unresolved lines below 4000 and 5300 Å."""
    below_edge = _step_down(grid, 3990, 14)
    edges = below_edge * (0.42 + 0.6 * _bell(grid, 3836, 26))
    near_ultraviolet = 0.40 * np.clip((4000 - grid) / 1000, 0, 1.5)
    blue = 0.15 * np.clip((5300 - grid) / 1300, 0, 1)
    return edges + near_ultraviolet + blue


def _step_down(grid, place, width):
    """1 below a wavelength and 0 above it."""
    return 1 / (1 + np.exp((grid - place) / width))


def _profiles(grid):
    """By the name of the opacity: its profile by wavelength, about 1 at its strongest."""
    features, _ = read_table(TABLES / "features.ecsv")
    profiles = {
        "balmer": _balmer_lines(grid),
        "edge": _step_down(grid, 3725, 12),
        "iron": _metal_lines(grid),
        "haze": _haze(grid),
    }
    for name in np.unique(features["opacity"]):
        rows = features["opacity"] == name
        some = {column: values[rows] for column, values in features.items()}
        profiles[name] = _feature_profile(grid, some)
    profiles["MgNa"] += 0.16 * _bell(grid, 5140, 55)  # bands of MgH
    return profiles


@lru_cache(maxsize=1)
def _opacities():
    """Temperatures (K), amplitudes by metallicity and temperature, and profiles of the opacities.

    Of shape (n_temperatures,), (n_metallicities, n_temperatures, 10) and (10, n_pix).
    """
    solar, meta = read_table(TABLES / "opacities.ecsv")
    temperatures = solar.pop("temperature").astype(float)
    slopes = np.array([meta["slopes_in_log_metallicity"][name] for name in solar])
    profiles = _profiles(wavelengths())
    by_metallicity = 10 ** (slopes * LOG_METALLICITIES[:, None, None])
    at_solar = np.stack(list(solar.values()), axis=1)
    amplitudes = at_solar * by_metallicity
    return temperatures, amplitudes, np.array([profiles[name] for name in solar])


@lru_cache(maxsize=1)
def stars():
    """Spectra of stars.

    Returns
    -------
    numpy.ndarray, shape (n_metallicities, n_temperatures, n_pix)
        Per unit of the black body's bolometric light, in 1/Å.
    """
    temperatures, amplitudes, profiles = _opacities()
    angstrom = 1e-10  # m
    metres = wavelengths() * angstrom
    scale = SECOND_RADIATION_CONSTANT / temperatures[:, None]  # m
    planck = metres**-5 / np.expm1(scale / metres)
    planck *= 15 / np.pi**4 * scale**4 * angstrom  # its integral over the wavelength in Å is 1
    depth = np.tensordot(amplitudes, profiles, axes=1)
    return planck * np.exp(-depth)


def _by_temperature(light, temperature):
    """Sum up light at any temperatures into those of `stars`, two neighbours each."""
    log_nodes = np.log(_opacities()[0])
    n = len(log_nodes)
    position = np.interp(np.log(temperature), log_nodes, np.arange(n))
    lower = np.minimum(position.astype(int), n - 2)
    upper = lower + 1
    in_lower = np.bincount(lower, light * (upper - position), n)
    return in_lower + np.bincount(upper, light * (position - lower), n)


def _light(age, log_metallicity):
    """Bolometric light by temperature, in L☉ per M☉ formed: shape (n_temperatures,)."""
    main, temperature = _main_sequence(age, log_metallicity)
    log_years = np.log10(age) + 9
    share = np.interp(log_years, list(_GIANT_SHARES), list(_GIANT_SHARES.values()))
    giants = np.array(list(_GIANTS)) * 10 ** (-0.04 * log_metallicity)
    all_evolved = main.sum() * share / (1 - share)
    evolved = all_evolved * np.array(list(_GIANTS.values()))
    return _by_temperature(main, temperature.clip(3200)) + _by_temperature(evolved, giants)


def _main_sequence(age, log_metallicity):
    """Light by initial mass in L☉ per M☉ formed, and temperature in K, of stars not yet evolved.

    The lifetime is 10 Gyr m^-2.9 + 3 Myr; the luminosity 0.23 m^2.3, m^4 and 1.4 m^3.5 (below 0.43,
    to 2, and above), up to 1.8 times as much at the end; and T = 5780 K m^0.56; masses in solar
    ones.
    """
    mass = np.geomspace(0.1, 60, 1500)
    width = np.gradient(mass)
    number = np.where(mass < 0.5, 2 * mass**-1.3, mass**-2.3)  # Kroupa
    number /= (number * mass * width).sum()
    lifetime = 10 * mass**-2.9 + 0.003
    spent = age / lifetime
    steep = np.where(mass < 2, mass**4, 1.4 * mass**3.5)
    young = np.where(mass < 0.43, 0.23 * mass**2.3, steep)
    brightened = young * (1 + 0.8 * spent**2)
    luminosity = np.where(spent < 1, brightened, 0)
    solar = np.clip(5780 * mass**0.56, 3300, 35000)
    metal_rich = solar * 10 ** (-0.03 * log_metallicity)
    temperature = metal_rich * (1 - 0.06 * spent**2)
    return luminosity * number * width, temperature


@lru_cache(maxsize=1)
def populations():
    """Spectra of populations of one age and metallicity.

    Returns
    -------
    numpy.ndarray, shape (n_ages, n_metallicities, n_pix)
        In solar luminosities per Å and solar mass formed, for `AGES` and `LOG_METALLICITIES`.
    """
    light = np.array([[_light(age, z) for z in LOG_METALLICITIES] for age in AGES])  # (a, z, t)
    return np.einsum("azt,ztp->azp", light, stars())


@lru_cache(maxsize=2)
def band_light(wavelength):
    """Light at a wavelength in Å of solar populations: L☉ per Å and M☉, (n_ages,)."""
    near = np.abs(wavelengths() - wavelength) < 60
    return populations()[:, SOLAR, near].mean(axis=1)


def surviving_mass(age):
    """Share of the mass formed that is still in stars and remnants at `age` in Gyr: 1 to about 0.6.

    After Bruzual & Charlot (2003, MNRAS 344, 1000), for the mass function of Kroupa.
    """
    grown_old = np.clip((np.log10(age) + 2.5) / 3.6, 0, 1)  # from 3 Myr (0) to 13 Gyr (1)
    return 1 - 0.4 * grown_old


def mass_by_age(time, decline, recent, burst_age, burst_mass):
    """Mass formed by age, for a rate that declines exponentially.

    Parameters
    ----------
    time : array, shape (n,)
        Since the first stars, in Gyr.
    decline : array, shape (n,)
        t/tau: `time` over the time scale; negative for a rate that rises.
    recent : array, shape (n,)
        Factor on the rate of the last 140 Myr.
    burst_age, burst_mass : arrays, shape (n,)
        Age in Gyr of a burst, and its share of the mass formed.

    Returns
    -------
    numpy.ndarray, shape (n, n_ages)
        Share of the mass formed in the bins around `AGES`; rows add up to 1.
    """
    constant = np.abs(decline) < 1e-3
    decline = np.where(constant, 1e-3, decline)[:, None]
    reached = np.minimum(_AGE_EDGES / time[:, None], 1)
    formed = np.exp(decline * (reached - 1))  # before that age, up to a constant
    share = np.diff(formed) / -np.expm1(-decline)
    share[:, AGES <= RECENT] *= recent[:, None]
    total = share.sum(axis=1, keepdims=True)
    share *= (1 - burst_mass[:, None]) / total
    distance = np.log(AGES) - np.log(burst_age)[:, None]
    nearest = np.abs(distance).argmin(axis=1)
    share[np.arange(len(share)), nearest] += burst_mass
    return share


def star_formation_rate(formed):
    """Rate of star formation in M☉/yr, (n,), of M☉ formed by age: mean of the last 17 Myr."""
    years = _AGE_EDGES[N_YOUNGEST] * 1e9
    return formed[:, :N_YOUNGEST].sum(axis=1) / years


def line_ratios(oxygen):
    """Line luminosities over Hα, before dust, of gas ionised by young stars and by old ones.

    Parameters
    ----------
    oxygen : array, shape (n,)
        12 + log10(O/H) of the gas.

    Returns
    -------
    young, old : dict of str to array, shape (n,)
        By the names of `helpers.astro.lines.LINES`.

    Notes
    -----
    [N II] and [O III]: Pettini & Pagel 2004, MNRAS 348, L59, eqs. 1 and 3. [O II]: Kewley et
    al. 2004, AJ 127, 2002, eq. 10, moved by the 0.3 dex between the two scales of O/H. The others
    are typical of SDSS spectra.
    """
    log_n2 = np.clip((oxygen - 8.90) / 0.57, -2.0, -0.15)
    log_o3_over_hbeta = np.clip((8.73 - oxygen) / 0.32 + log_n2, -1, 0.8)
    o3 = 10**log_o3_over_hbeta / HALPHA_OVER_HBETA
    o2 = np.clip(16.73 - 1.75 * (oxygen + 0.3), 0.4, 2.2)
    young = _YOUNG_RATIOS | {"o2": o2, "ne3": 0.07 * o3, "o3": o3, "n2": 10**log_n2}
    n = len(oxygen)
    return _spread(n, **young), _spread(n, **_OLD_RATIOS)


def _spread(n, o2, ne3, o3, he1, o1, n2, s2):
    """Of n galaxies: lines of doublets and of the Balmer series from those that stand for them."""
    ratios = {
        "[O II] 3726": o2 * _O2_DOUBLET[0],
        "[O II] 3729": o2 * _O2_DOUBLET[1],
        "[Ne III] 3869": ne3,
        "Hδ": _HDELTA_OVER_HBETA / HALPHA_OVER_HBETA,
        "Hγ": _HGAMMA_OVER_HBETA / HALPHA_OVER_HBETA,
        "Hβ": 1 / HALPHA_OVER_HBETA,
        "[O III] 4959": o3 / _O3_DOUBLET,
        "[O III] 5007": o3,
        "He I 5876": he1,
        "[O I] 6300": o1,
        "[N II] 6548": n2 / _N2_DOUBLET,
        "Hα": 1.0,
        "[N II] 6583": n2,
        "[S II] 6716": s2 * _S2_DOUBLET[0],
        "[S II] 6731": s2 * _S2_DOUBLET[1],
    }
    return {name: np.broadcast_to(ratio, n) for name, ratio in ratios.items()}
