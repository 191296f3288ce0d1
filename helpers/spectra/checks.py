"""Checks and hints of the exercises of hack 01: what a wrong attempt got wrong, in one sentence each."""

from functools import partial

import numpy as np

from helpers.exercises import check
from helpers.require import array, call, each, number, refuse, require, require_agreement, require_close, same


@check(
    "01.to_rest_frame",
    hints=[
        "A line at rest wavelength λ is observed at (1 + z) λ: which way leads back?",
        "Flux per Å times the width in Å is what a pixel gets, and that stays: as pixels shrink, flux per Å grows.",
        "Divide the wavelength by (1 + redshift), multiply the flux and the error by it, and return all three.",
    ],
    returns=each(array, 3, "three arrays: wavelength, flux and error"),
)
def to_rest_frame(attempt, reference):
    wavelength = np.array([4000.0, 4001.0, 4002.5, 4004.0])
    flux, error = np.array([3.0, 5.0, 2.0, 4.0]), np.array([0.3, 0.7, 0.2, 0.5])
    for z in (0.25, 0.6):
        expected, found = reference(wavelength, flux, error, z), call(attempt, wavelength, flux, error, z)
        tell = partial(refuse, found[0])
        tell("the wavelength is multiplied: the rest frame is the bluer one, so divide", wavelength * (1 + z))
        tell("z stands where 1 + z should: at z = 0 nothing may change", wavelength / z, wavelength * z)
        tell("the wavelength is left as it is: divide it by 1 + z", wavelength)
        tell("1 - z is 1 / (1 + z) for small z only: divide by 1 + z", wavelength * (1 - z))
        require_close(found[0], expected[0], "the wavelength in the rest frame is {found}, expected {expected}")
        exchanged = same(found[1], expected[2]) and same(found[2], expected[1])
        require(not exchanged, "flux and error are exchanged: return wavelength, flux, error")
        for i, name, value in ((1, "flux", flux), (2, "error", error)):
            tell = partial(refuse, found[i])
            tell(f"the {name} is left as it is: it is per Å, and an Å gets shorter, so multiply by 1 + z", value)
            tell(f"the {name} is divided by 1 + z: pixels get narrower, so per Å it grows", value / (1 + z))
            tell(f"the {name} is scaled by z where it should be 1 + z", value * z, value / z)
            tell(f"the {name} is scaled twice: the width of a pixel changes by 1 + z once", value * (1 + z) ** 2)
            require_close(found[i], expected[i], f"the {name} in the rest frame is {{found}}, expected {{expected}}")
    noise, many = np.random.default_rng(2).normal(size=(2, 9)), np.geomspace(4000, 4100, 9)
    gaps = np.where(np.arange(9) == 3, np.nan, noise)
    cases = {
        "negative fluxes": (many, noise[0], abs(noise[1]), 0.31),
        "a flux that is NaN": (many, *abs(gaps), 0.07),
        "a pixel without weight, whose error is infinite,": (many, noise[0], 1 / abs(noise[1]).round(), 0.4),
        "the redshift 0": (many, noise[0], abs(noise[1]), 0.0),
        "a single pixel": (many[:1], noise[0, :1], abs(noise[1, :1]), 1.2),
    }
    require_agreement(attempt, reference, cases)


@check(
    "01.bin_flux",
    hints=[
        "Pixel i reaches from edges[i] to edges[i + 1]; how many Å of it lie between lower and upper?",
        "np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower), clipped at 0; divided by their sum: the shares.",
        "The mean is (share * flux).sum(), and its error np.sqrt((share**2 * error**2).sum()).",
    ],
    returns=each(number, 2, "two numbers: the mean flux and its error"),
)
def bin_flux(attempt, reference):
    edges = 4000 + np.array([0, 1, 2.5, 3, 5, 5.8, 7, 9])  # not equally wide
    flux, error = np.array([[3.0, 7, 2, 5, 11, 4, 6], [0.5, 0.9, 0.3, 0.7, 1.3, 0.4, 0.8]])
    lower, upper = bounds = 4001.8, 4006.2
    expected, found = reference(edges, flux, error, *bounds), call(attempt, edges, flux, error, *bounds)
    centres, width, middle = (edges[1:] + edges[:-1]) / 2, np.diff(edges), (lower + upper) / 2
    overlap = np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower)
    inside = np.clip(overlap, 0, None)
    share, part, touched, squares, mean = inside / inside.sum(), inside / width, inside > 0, error**2, np.average
    centre, left, right = [(some > lower) & (some < upper) for some in (centres, edges[:-1], edges[1:])]
    weights, tell = (inside, part, touched, centre), partial(refuse, found[0])
    tell("that is interpolation, which forgets most pixels: average all in the bin", np.interp(middle, centres, flux))
    whole = [mean(flux, weights=rows * by) for rows in (touched, centre) for by in (1, width)]
    shifted = [mean(flux, weights=rows * by) for rows in (left, right) for by in (1, width)]
    tell("pixels count whole or not at all: at the ends of the bin only the part inside counts", *whole)
    tell("the edges are taken for the middles: pixel i reaches from edges[i] to edges[i + 1]", *shifted)
    tell("that is a sum: for a mean, divide by the sum of the weights", *((w * flux).sum() for w in weights))
    tell("weigh a pixel by its Å inside the bin, not by its part: widths differ", mean(flux, weights=part))
    tell("pixels outside the bin have a negative share: clip the overlap at 0", mean(flux, weights=overlap))
    require_close(found[0], expected[0], "the mean flux in the test bin is {found}, expected {expected}")
    n, tell = touched.sum(), partial(refuse, found[1])
    tell("the errors are added linearly: independent ones add in squares", (share * error).sum(), error[touched].mean())
    tell("that is the error of a sum: divide by that of the weights", *(sum(w**2 * squares) ** 0.5 for w in weights))
    tell("the share belongs inside the square: (share * error)**2", np.sqrt((share * squares).sum()))
    tell("that is the variance: take the root", (share**2 * squares).sum(), (share * squares).sum())
    equal = [np.sqrt(squares[rows].sum()) / rows.sum() for rows in (touched, centre)]
    tell("the error leaves out the shares, by which the mean weighs the pixels", *equal, error[touched].mean() / n**0.5)
    tell("the error is interpolated: averaging makes it smaller", np.interp(middle, centres, error))
    require_close(found[1], expected[1], "the error in the test bin is {found}, expected {expected}")
    spectrum = edges, flux, error
    noise = np.random.default_rng(5).normal(size=(2, 12))
    many = 4000 + np.arange(13) ** 1.1
    cases = {
        "a bin inside a pixel": (*spectrum, 4003.4, 4004.1),
        "a bin in two pixels": (*spectrum, 4004.5, 4005.3),
        "a bin of two pixels": (*spectrum, 4003, 4005.8),
        "a bin of all pixels": (*spectrum, 4000, 4009),
        "a bin that reaches beyond the last pixel": (*spectrum, 4005.2, 4011),
        "a bin that begins before the first pixel": (*spectrum, 3997, 4001.8),
        "negative fluxes": (many, noise[0], abs(noise[1]), 4002.2, 4009.7),
    }
    require_agreement(attempt, reference, cases)
    gap = np.where(flux == 5, np.nan, flux)
    filled = reference(edges, np.nan_to_num(gap), error, lower, upper)
    found = call(attempt, edges, gap, error, lower, upper)
    refuse(found[0], "a flux that is NaN is taken for 0: it is unknown, and so is the mean", filled[0])


@check(
    "01.r_value",
    hints=[
        "A true peak is symmetric, so what differs between its sides is noise: (c[peak + k] - c[peak - k]) / 2.",
        "k runs from 1 to where the nearer end of the array is, min(peak, len(correlation) - 1 - peak).",
        "r is the height correlation[peak] over sqrt(2) times the root of the mean square of the antisymmetric part.",
    ],
    returns=number,
)
def r_value(attempt, reference):
    rng, cases, found = np.random.default_rng(3), [], []
    for peak in (15, 28, 20):
        c = 0.2 * rng.normal(size=41) + np.exp(-((np.arange(41) - peak) ** 2) / 8)
        c[[4, 37]] = 1.8, 1.6  # higher ones elsewhere
        cases.append((c, peak))
        try:
            found.append(call(attempt, c, peak))
        except (IndexError, ValueError):
            require(peak != 28, "it fails for a peak nearer to the right end: the nearer end says how far to go")
            raise
    found, root2 = np.array(found), np.sqrt(2)

    def odd(c, p, reach=None, sign=-1):
        beside = np.arange(1, 1 + (min(p, 40 - p) if reach is None else reach))
        return (c.take(p + beside, mode="wrap") + sign * c.take(p - beside, mode="wrap")) / 2

    def rms(values):
        return np.sqrt(np.mean(values**2))

    def r(noise=lambda c, p: rms(odd(c, p)), height=lambda c, p: c[p]):
        return np.array([height(*case) / noise(*case) for case in cases]) / root2

    tell = partial(refuse, found)
    tell("that is the symmetric part, the peak itself: subtract the two sides", r(lambda c, p: rms(odd(c, p, sign=1))))
    tell("the sqrt(2) is missing: the symmetric part holds as much noise as the antisymmetric one", root2 * r())
    tell("the antisymmetric part is half the difference of the two sides: divide by 2", r() / 2)
    tell("neither is the difference of the sides halved, nor its rms multiplied by sqrt(2)", r() / root2)
    tell("the sqrt(2) multiplies the height: it belongs to the noise, below it", 2 * r())
    tell("np.std subtracts the mean: take the root of the mean square", r(lambda c, p: odd(c, p).std()))
    middle = r(lambda c, p: rms(c - c[::-1]) / 2), r(lambda c, p: rms(odd(c, 20)))
    tell("the array is mirrored about its middle: mirror it about the peak", *middle)
    tell("that is the scatter of all: subtract the two sides", r(lambda c, p: c.std()), r(lambda c, p: rms(c)))
    reaches = [lambda p: 20, lambda p: 40, lambda p: 41, lambda p: max(p, 40 - p), lambda p: p, lambda p: 40 - p]
    wrapped = [r(lambda c, p, reach=reach: rms(odd(c, p, reach(p)))) for reach in reaches]
    tell("it wraps around the ends of the array: go as far as the nearer end, no further", *wrapped)
    tell("the peak is looked for: it is at the given index", [reference(c, c.argmax()) for c, _ in cases])
    tell("the height is not that at the peak", r(height=lambda c, p: c.max()), r(height=lambda c, p: 1))
    tell("that is a sum of squares: take their mean", r(lambda c, p: np.linalg.norm(odd(c, p))))
    tell("the root is missing: take that of the mean square", r(lambda c, p: rms(odd(c, p)) ** 2))
    # The peak itself may count, where that part is zero, and so may both sides.
    ways = [reference, *(partial(_r_counted, sides=sides) for sides in (1, 2))]
    alike = [way for way in ways if same(found, [way(*case) for case in cases])]
    if not alike:
        right = [reference(*case) for case in cases]
        require_close(found, right, "for three test peaks r is {found}, expected {expected}")
    c = rng.normal(size=60)
    c[[1, 6, 33]] = 1.5
    others = {
        "60 numbers": (c, 33),
        "23 numbers": (c[:23], 6),
        "three numbers": (c[:3], 1),
        "a negative peak": (np.r_[c[:20], -4, c[20:]], 20),
    }
    require_agreement(attempt, alike[0], others)


def _r_counted(correlation, peak, sides):
    """Return r where the mean square is also over the peak itself, and over so many sides."""
    reach = min(peak, len(correlation) - 1 - peak)
    beside = np.arange(1, reach + 1)
    odd = (correlation[peak + beside] - correlation[peak - beside]) / 2
    mean_square = sides * (odd**2).sum() / (sides * reach + 1)
    return correlation[peak] / np.sqrt(2 * mean_square)
