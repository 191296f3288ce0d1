"""What galaxies shine with: populations of stars that are black bodies with lines, and the gas that they ionise.

A star of effective temperature T and metallicity Z shines as a black body that is dimmed by exp(-tau), where tau
adds up ten sources of opacity (`_opacity`): the Balmer lines and edge, Ca H and K, the calcium triplet, the lines
of iron and its neighbours, CH and CN, magnesium and sodium, TiO, and the metal edges and the haze of unresolved lines
below 4000 Å. Wavelengths are those of the solar spectrum (Moore, Minnaert & Houtgast 1966, NBS Monograph 61), of
the Lick bands (Worthey et al. 1994, ApJS 94, 687) and of the TiO heads (Gray & Corbally 2009, Stellar Spectral
Classification). How strong each opacity is at which temperature is a small table made for this course, whose
rows follow the spectral sequence: Balmer lines peak in A stars, Ca H and K and the G band in late G, TiO in M. The
tables were set so that D4000 and Hdelta_A of the populations grow older as those of Bruzual & Charlot (2003, MNRAS
344, 1000) do (Kauffmann et al. 2003, MNRAS 341, 33, figure 2). It is a drawing of a stellar library and not one:
indices other than those two are right in sign and size only.

A population of one age is the main sequence up to the turn-off, with a Kroupa (2001, MNRAS 322, 231) mass function,
and beyond it giants whose share of the light follows the fuel consumption theorem (Maraston 2005, MNRAS 362, 799).
"""

from functools import lru_cache

import numpy as np

from helpers.astro.lines import air_to_vacuum, vacuum_to_air

N_PIX = 6400
LOG_START, LOG_STEP = 3.395, 1e-4
"""The rest-frame grid: log10 of the first vacuum wavelength in Å, and the step, which is that of SDSS."""

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
)  # Gyr
_AGE_EDGES = np.r_[0, np.sqrt(AGES[1:] * AGES[:-1]), np.inf]  # of the bins that they stand for
LOG_METALLICITIES = np.array([-1.3, -0.7, -0.3, 0.0, 0.3])  # log10 of Z over the solar one

# Lines in air, each with its strength relative to the strongest iron lines; Hβ and Hα are the cores in cool stars.
_METALS = """
3608.9 .7 3618.8 .8 3631.5 .8 3647.8 .7 3679.9 .5 3687.5 .7 3705.6 .6 3719.9 1 3727.6 .6 3734.9 1 3737.1 1 3745.6 1
3748.3 .8 3758.2 .9 3763.8 .8 3767.2 .7 3787.9 .6 3795.0 .7 3815.8 .8 3820.4 1 3825.9 .9 3829.4 .9 3832.3 1 3838.3 1
3856.4 .8 3859.9 1 3865.5 .6 3872.5 .7 3878.6 .8 3886.3 .8 3895.7 .6 3899.7 .7 3905.5 .8 3920.3 .6 3922.9 .7 3927.9 .7
3930.3 .7 3944.0 .8 3961.5 .8 3997.4 .4 4005.2 .6 4030.8 .7 4033.1 .6 4034.5 .5 4045.8 1 4063.6 .9 4071.7 .8 4077.7 .6
4101.3 .3 4118.5 .5 4132.1 .7 4143.9 .8 4154.5 .5 4167.3 .5 4172.7 .5 4187.4 .6 4191.4 .5 4199.1 .5 4202.0 .6 4215.5 .5
4226.7 1.8 4233.6 .5 4235.9 .6 4247.0 .5 4250.8 .8 4254.3 .7 4260.5 .7 4271.8 .9 4274.8 .7 4282.4 .4 4289.7 .6
4307.9 .8 4325.8 .9 4337.0 .4 4352.7 .4 4369.8 .4 4375.9 .4 4383.5 1 4395.0 .5 4404.8 .8 4415.1 .7 4427.3 .4 4435.0 .6
4442.3 .5 4454.8 .7 4461.7 .5 4468.5 .4 4476.0 .4 4482.2 .6 4494.6 .4 4501.3 .4 4522.8 .4 4528.6 .7 4531.1 .5 4549.6 .6
4554.0 .6 4571.9 .5 4583.8 .4 4602.9 .3 4629.3 .2 4647.4 .3 4668.1 .8 4678.9 .3 4703.0 .6 4714.4 .3 4736.8 .3 4754.0 .3
4783.4 .3 4823.5 .3 4861.3 1.2 4871.3 .5 4891.5 .6 4903.3 .3 4920.5 .6 4957.6 .6 4982.5 .3 4991.1 .3 4999.5 .3
5006.1 .4 5012.1 .5 5018.4 .5 5041.4 .5 5049.8 .5 5051.6 .4 5079.5 .5 5083.3 .4 5098.7 .4 5107.5 .5 5110.4 .4 5123.7 .3
5139.4 .5 5142.7 .4 5151.9 .4 5167.4 1 5171.6 .6 5191.5 .5 5192.4 .5 5195.2 .3 5202.3 .4 5204.5 .5 5206.0 .6 5208.4 .7
5216.3 .3 5227.2 .7 5232.9 .5 5247.1 .3 5250.4 .4 5254.9 .4 5264.2 .4 5266.6 .6 5269.5 .8 5270.4 .7 5281.8 .4 5283.6 .4
5302.3 .4 5307.4 .2 5324.2 .6 5328.0 .8 5332.9 .3 5339.9 .4 5341.0 .5 5349.5 .2 5364.9 .3 5367.5 .3 5370.0 .4 5371.5 .6
5383.4 .4 5393.2 .3 5397.1 .6 5404.1 .4 5405.8 .6 5410.9 .3 5415.2 .4 5424.1 .4 5429.7 .6 5434.5 .4 5445.0 .3 5446.9 .6
5455.6 .6 5463.0 .3 5476.6 .4 5497.5 .3 5501.5 .3 5506.8 .3 5528.4 .6 5569.6 .3 5572.8 .4 5576.1 .2 5586.8 .4 5588.8 .4
5594.5 .3 5602.9 .4 5615.6 .5 5624.5 .3 5641.4 .2 5658.8 .4 5682.6 .2 5688.2 .3 5709.4 .4 5711.1 .3 5753.1 .2 5763.0 .3
5782.1 .3 5791.0 .2 5857.5 .3 5862.4 .2 5883.8 .2 5914.1 .2 5930.2 .2 6003.0 .2 6008.6 .2 6024.1 .2 6065.5 .3 6102.7 .4
6122.2 .6 6136.6 .4 6137.7 .4 6141.7 .4 6162.2 .6 6169.6 .3 6191.6 .4 6230.7 .4 6246.3 .2 6252.6 .3 6265.1 .2 6301.5 .3
6318.0 .3 6335.3 .2 6358.7 .3 6393.6 .4 6400.0 .4 6408.0 .2 6411.7 .3 6421.4 .3 6430.8 .3 6439.1 .4 6449.8 .3 6462.6 .5
6475.6 .2 6494.0 .3 6495.0 .4 6496.9 .2 6499.7 .2 6518.4 .2 6546.2 .2 6562.8 1.6 6592.9 .2 6609.1 .2 6643.6 .3
6663.4 .3 6678.0 .3 6717.7 .3 6750.2 .2 6828.6 .1 6978.9 .2 7016.4 .2 7122.2 .2 7148.1 .3 7326.1 .3 7389.4 .2 7411.2 .2
7445.8 .3 7495.1 .3 7511.0 .3 7568.9 .1 7586.0 .2 7664.9 .5 7699.0 .5 7748.3 .2 7780.6 .2 7832.2 .2 7937.1 .2 7945.8 .2
8046.0 .2 8085.2 .2 8183.3 .5 8194.8 .7 8220.4 .2 8327.1 .4 8387.8 .4 8468.4 .5 8514.1 .4 8582.3 .2 8611.8 .2 8621.6 .2
8674.8 .3 8688.6 .6 8717.8 .2 8757.2 .2 8806.8 .7 8824.2 .4"""

# Columns: black-body temperature in K, then the amplitude of each opacity of `_opacity` at solar metallicity.
_NAMES = ("balmer", "edge", "CaHK", "CaT", "iron", "CH", "CN", "MgNa", "TiO", "haze")
_TABLE = np.array(
    [
        [3200, 0.00, 0.00, 1.4, 0.9, 0.42, 0.30, 0.30, 1.00, 2.20, 0.35],
        [3600, 0.00, 0.00, 1.6, 1.0, 0.44, 0.45, 0.40, 0.92, 1.40, 0.35],
        [4000, 0.00, 0.00, 2.0, 1.0, 0.44, 0.60, 0.45, 0.70, 0.60, 0.35],
        [4500, 0.04, 0.00, 2.0, 0.9, 0.38, 0.78, 0.42, 0.48, 0.10, 0.32],
        [5000, 0.10, 0.03, 1.7, 0.75, 0.32, 0.78, 0.26, 0.34, 0.00, 0.27],
        [5800, 0.22, 0.10, 1.25, 0.6, 0.24, 0.52, 0.08, 0.22, 0.00, 0.22],
        [6500, 0.38, 0.22, 0.80, 0.5, 0.16, 0.20, 0.00, 0.14, 0.00, 0.17],
        [7500, 0.65, 0.45, 0.40, 0.35, 0.09, 0.03, 0.00, 0.08, 0.00, 0.12],
        [8500, 0.86, 0.75, 0.18, 0.2, 0.05, 0.00, 0.00, 0.05, 0.00, 0.07],
        [9500, 0.92, 0.90, 0.09, 0.1, 0.04, 0.00, 0.00, 0.04, 0.00, 0.04],
        [12000, 0.68, 0.70, 0.04, 0.0, 0.02, 0.00, 0.00, 0.02, 0.00, 0.02],
        [16000, 0.45, 0.45, 0.02, 0.0, 0.01, 0.00, 0.00, 0.01, 0.00, 0.00],
        [22000, 0.30, 0.25, 0.00, 0.0, 0.01, 0.00, 0.00, 0.00, 0.00, 0.00],
        [35000, 0.15, 0.05, 0.00, 0.0, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
    ]
)
TEMPERATURES = _TABLE[:, 0]
_SLOPES = np.array(
    [0.0, 0.0, 0.15, 0.15, 0.45, 0.25, 0.70, 0.45, 0.50, 0.20]
)  # of log10 amplitude in log10 Z

NEBULAR_LINES = (
    *(
        "[O II] 3726",
        "[O II] 3729",
        "[Ne III] 3869",
        "Hδ",
        "Hγ",
        "Hβ",
        "[O III] 4959",
        "[O III] 5007",
        "He I 5876",
    ),
    *("[O I] 6300", "[N II] 6548", "Hα", "[N II] 6583", "[S II] 6716", "[S II] 6731"),
)

# Share of a population's bolometric light that comes from beyond the main sequence, against log10 of the age in yr.
_GIANT_SHARE = (
    (6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 10.2),
    (0.1, 0.25, 0.22, 0.22, 0.28, 0.40, 0.52, 0.62, 0.64),
)
_GIANTS = (
    (4800, 0.32),
    (4450, 0.27),
    (4050, 0.20),
    (3700, 0.13),
    (3350, 0.08),
)  # temperature, share of their light


def wavelengths():
    """Vacuum wavelengths in Å of the rest-frame grid: shape (6400,), 2483 to 10 838 Å, 1e-4 dex apart."""
    return 10 ** (LOG_START + LOG_STEP * np.arange(N_PIX))


def _gaussians(wavelength, centres, depths, sigma):
    """Sum of Gaussians of these depths: each is evaluated only within 6 sigma of its centre."""
    total = np.zeros_like(wavelength)
    for centre, depth in zip(air_to_vacuum(centres), depths, strict=True):
        first, last = np.searchsorted(wavelength, (centre - 6 * sigma, centre + 6 * sigma))
        total[first:last] += depth * np.exp(-0.5 * ((wavelength[first:last] - centre) / sigma) ** 2)
    return total


def _lorentzians(wavelength, centres, depths, half_width):
    """Sum of Lorentzians of these depths and half widths at half maximum in Å: the damping wings of strong lines."""
    x = (wavelength - air_to_vacuum(np.asarray(centres))[:, None]) / np.reshape(half_width, (-1, 1))
    return np.asarray(depths) @ (1 / (1 + x**2))


def _bands(wavelength, heads, depths, scale):
    """Molecular bands: sharp at the head and fading over `scale` Å, redwards of it, or bluewards where negative."""
    x = (wavelength - air_to_vacuum(np.asarray(heads))[:, None]) / scale
    return np.asarray(depths) @ (
        np.exp(-np.maximum(x, 0)) / (1 + np.exp(-np.clip(x * abs(scale) / 1.5, -50, 50)))
    )


@lru_cache(maxsize=1)
def _opacity():
    """Wavelength profiles of the ten columns of the table, shape (10, n_pix); about 1 at their strongest."""
    grid = wavelengths()
    upper = np.arange(3, 16)
    balmer = 3647.05 / (1 - 4 / upper**2)  # the Rydberg formula, in vacuum
    depth = np.interp(
        upper, (3, 4, 5, 6, 8, 10, 12, 16), (0.75, 0.95, 1.0, 1.0, 0.9, 0.65, 0.4, 0.0)
    )
    metals = np.array(_METALS.split(), dtype=float).reshape(-1, 2)
    forest = np.random.default_rng(
        1966
    )  # weak lines without a name: the same in every spectrum of the course
    weak = grid[0] * (grid[-1] / grid[0]) ** (forest.random(2600) ** 1.6)
    weak_depth = forest.exponential(0.11, len(weak)) * np.clip((weak / 4600) ** -2.2, 0.15, 4)
    below = 1 / (1 + np.exp((grid - 3990) / 14))
    profiles = {
        "balmer": _lorentzians(grid, vacuum_to_air(balmer), depth, 8.5 * (balmer / 4300) ** 0.3),
        "edge": 1 / (1 + np.exp((grid - 3725) / 12)),
        "CaHK": _lorentzians(grid, (3933.66, 3968.47), (1.0, 0.8), 6.0),
        "CaT": _lorentzians(grid, (8498.02, 8542.09, 8662.14), (0.35, 0.65, 0.55), 3.0),
        "iron": _gaussians(grid, metals[:, 0], metals[:, 1], 1.3)
        + _gaussians(grid, weak, weak_depth, 1.3),
        "CH": _bands(grid, (4313.0,), (0.42,), -26.0)
        + _gaussians(grid, (4300.0, 4307.5), (0.25, 0.3), 4.0),
        "CN": _bands(grid, (3883.4, 4216.0), (1.0, 0.45), -45.0),
        "MgNa": _lorentzians(
            grid, (5167.3, 5172.7, 5183.6, 5890.0, 5895.9), (0.5, 0.75, 0.85, 0.75, 0.65), 2.2
        )
        + 0.16 * np.exp(-0.5 * ((grid - 5140) / 55) ** 2),  # MgH
        "TiO": _bands(
            grid,
            (
                4761.0,
                4954.6,
                5167.0,
                5448.0,
                5847.0,
                6158.0,
                6651.0,
                7053.0,
                7589.0,
                8432.0,
                8859.0,
            ),
            (0.35, 0.5, 0.6, 0.4, 0.4, 0.6, 0.5, 0.65, 0.45, 0.4, 0.4),
            110.0,
        ),
        "haze": below * (0.42 + 0.6 * np.exp(-0.5 * ((grid - 3836) / 26) ** 2))
        + 0.40 * np.clip((4000 - grid) / 1000, 0, 1.5)
        + 0.15 * np.clip((5300 - grid) / 1300, 0, 1),
    }
    return np.array([profiles[name] for name in _NAMES])


@lru_cache(maxsize=1)
def stars():
    """Spectra of stars.

    Returns
    -------
    numpy.ndarray, shape (n_metallicities, n_temperatures, n_pix)
        Per unit of the black body's bolometric light, in 1/Å.
    """
    metres = wavelengths() * 1e-10
    planck = metres**-5 / np.expm1(1.438777e-2 / metres / TEMPERATURES[:, None])  # CODATA 2018
    planck *= (
        15 / np.pi**4 * (1.438777e-2 / TEMPERATURES[:, None]) ** 4 * 1e-10
    )  # integral over wavelength 1
    amplitude = _TABLE[:, 1:] * 10 ** (_SLOPES * LOG_METALLICITIES[:, None, None])
    return planck * np.exp(-np.tensordot(amplitude, _opacity(), axes=1))


def _interpolate(values, temperature):
    """Weights of two neighbouring `TEMPERATURES` that stand for light `values` at `temperature`: sums them up."""
    position = np.interp(np.log(temperature), np.log(TEMPERATURES), np.arange(len(TEMPERATURES)))
    lower = np.minimum(position.astype(int), len(TEMPERATURES) - 2)
    weights = np.bincount(lower, values * (lower + 1 - position), len(TEMPERATURES))
    return weights + np.bincount(lower + 1, values * (position - lower), len(TEMPERATURES))


def _light(age, log_metallicity):
    """Bolometric light by temperature, in solar luminosities per solar mass formed: shape (n_temperatures,).

    On the main sequence the lifetime is 10 Gyr m^-2.9 + 3 Myr, the luminosity 0.23 m^2.3, m^4 and 1.4 m^3.5 (below
    0.43, to 2, and above), up to 1.8 times as much at the end of it, and T = 5780 K m^0.56; masses in solar ones.
    """
    mass = np.geomspace(0.1, 60, 1500)
    number = np.where(mass < 0.5, 2 * mass**-1.3, mass**-2.3)
    number /= (number * mass * np.gradient(mass)).sum()
    lifetime = 10 * mass**-2.9 + 0.003
    luminosity = np.select((mass < 0.43, mass < 2), (0.23 * mass**2.3, mass**4), 1.4 * mass**3.5)
    spent = age / lifetime
    luminosity = np.where(spent < 1, luminosity * (1 + 0.8 * spent**2), 0)
    temperature = (
        np.clip(5780 * mass**0.56, 3300, 35000)
        * 10 ** (-0.03 * log_metallicity)
        * (1 - 0.06 * spent**2)
    )
    main = luminosity * number * np.gradient(mass)
    share = np.interp(np.log10(age) + 9, *_GIANT_SHARE)
    giants, shares = np.array(_GIANTS).T
    giants = giants * 10 ** (-0.04 * log_metallicity)
    evolved = main.sum() * share / (1 - share) * shares
    return _interpolate(main, temperature.clip(3200)) + _interpolate(evolved, giants)


@lru_cache(maxsize=1)
def populations():
    """Spectra of populations of one age and metallicity.

    Returns
    -------
    numpy.ndarray, shape (n_ages, n_metallicities, n_pix)
        In solar luminosities per Å and solar mass formed, for `AGES` and `LOG_METALLICITIES`.
    """
    light = np.array([[_light(age, z) for z in LOG_METALLICITIES] for age in AGES])
    return np.einsum("azt,ztp->azp", light, stars())


def surviving_mass(age):
    """Share of the mass formed that is still in stars and remnants at `age` in Gyr: 1 to about 0.6 (BC03, Kroupa)."""
    return 1 - 0.4 * np.clip((np.log10(age) + 2.5) / 3.6, 0, 1)


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
    decline = np.where(np.abs(decline) < 1e-3, 1e-3, decline)[:, None]
    reached = np.minimum(_AGE_EDGES / time[:, None], 1)
    share = np.diff(np.exp(decline * (reached - 1))) / -np.expm1(-decline)
    share[:, AGES <= 0.1] *= recent[:, None]
    share *= (1 - burst_mass[:, None]) / share.sum(axis=1, keepdims=True)
    nearest = np.abs(np.log(AGES) - np.log(burst_age)[:, None]).argmin(axis=1)
    share[np.arange(len(share)), nearest] += burst_mass
    return share


def star_formation_rate(formed):
    """Rate of star formation in M☉/yr, shape (n,), of `formed`, M☉ by age: mean over the last 17 Myr."""
    return formed[:, :2].sum(axis=1) / (_AGE_EDGES[2] * 1e9)


def line_ratios(oxygen):
    """Line luminosities over that of Hα, before dust, of gas ionised by young stars and by old ones.

    Parameters
    ----------
    oxygen : array, shape (n,)
        12 + log10(O/H) of the gas.

    Returns
    -------
    young, old : arrays, shape (n, n_lines)
        In the order of `NEBULAR_LINES`. Balmer decrements: Osterbrock & Ferland 2006, case B at 10 000 K. [N II] and
        [O III]: Pettini & Pagel 2004, MNRAS 348, L59, eqs. 1 and 3. [O II]: Kewley et al. 2004, AJ 127, 2002, eq. 10,
        moved by the 0.3 dex between the two scales of O/H. The others are typical of SDSS spectra (for old stars:
        Cid Fernandes et al. 2011, MNRAS 413, 1687). Within doublets: [O III] 2.98, [N II] 3.05 (Storey & Zeippen
        2000, MNRAS 312, 813), [S II] and [O II] at low density.
    """
    nitrogen = np.clip((oxygen - 8.90) / 0.57, -2.0, -0.15)
    o3 = 10 ** np.clip((8.73 - oxygen) / 0.32 + nitrogen, -1, 0.8) / 2.863
    n2, o2 = 10**nitrogen, np.clip(16.73 - 1.75 * (oxygen + 0.3), 0.4, 2.2)

    def lines(o2, ne3, o3, he1, o1, n2, s2):
        balmer = np.array([0.259, 0.468, 1.0]) / 2.863
        values = (
            o2 * 0.41,
            o2 * 0.59,
            ne3,
            *balmer,
            o3 / 2.98,
            o3,
            he1,
            o1,
            n2 / 3.05,
            1.0,
            n2,
            s2 * 0.58,
            s2 * 0.42,
        )
        return np.stack([value * np.ones_like(oxygen) for value in values], axis=1)

    young = lines(o2, 0.07 * o3, o3, 0.042, 0.04, n2, 0.35)
    return young, lines(2.0, 0.1, 0.55, 0.02, 0.2, 1.1, 0.7)
