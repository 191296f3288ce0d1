"""What an attempt returns, of any library: compare it, and make it what the cells below expect."""

from functools import wraps

import numpy as np
import torch


class NotYet(Exception):  # noqa: N818 - it is an answer, not an error
    """What is wrong with an attempt, in one sentence."""


def require(condition, reason):
    """Raise `NotYet` with the reason unless the condition holds."""
    if not condition:
        raise NotYet(reason)


def require_close(found, expected, reason, rtol=1e-4, atol=1e-5):
    """Raise `NotYet` unless two arrays, tensors or numbers agree in shape and value.

    The reason may contain ``{found}`` and ``{expected}``.
    """
    name = type(found).__name__
    found = plain(found)
    expected = plain(expected)
    require(found.dtype.kind in "biuf", f"expected numbers, found a {name}")
    shapes = f"the result has shape {found.shape}, expected {expected.shape}"
    require(found.shape == expected.shape, shapes)
    if not np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True):
        raise NotYet(reason.format(found=_shown(found), expected=_shown(expected)))


def _shown(values):
    """Return the first and last of an array in one line."""
    text = np.array2string(values, precision=4, threshold=6, edgeitems=2)
    return " ".join(text.split())


def same(found, expected, rtol=1e-4, atol=1e-6):
    """Whether two results are alike in shape and value, whatever library they are of."""
    found = plain(found)
    expected = plain(expected)
    if found.dtype.kind not in "biuf" or found.shape != expected.shape:
        return False
    return np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


def refuse(found, reason, *wrong):
    """Raise `NotYet` with the reason if a result is one of these wrong ones."""
    require(not any(same(found, value) for value in wrong), reason)


def require_right(found, expected, reason, slips, rtol=1e-4, atol=1e-5):
    """Raise `NotYet` unless a result is right; that of a known slip is answered with what is wrong.

    Parameters
    ----------
    found, expected : array, tensor or number
        What an attempt returned, and what is right.
    reason : str
        What is said of any other wrong result; it may contain ``{found}`` and ``{expected}``.
    slips : dict of str to list
        Wrong results, by what is wrong; one that happens to be right here is none.
    rtol, atol : float
        Tolerances of `require_close`.
    """
    if same(found, expected, rtol, atol):
        return
    for slip, wrong in slips.items():
        refuse(found, slip, *wrong)
    require_close(found, expected, reason, rtol, atol)


def plain(value):
    """Return a number, list, table or tensor as an array; one of objects if it is neither."""
    if torch.is_tensor(value):
        return value.detach().cpu().numpy()
    try:
        if isinstance(value, list | tuple):
            value = [plain(one) for one in value]
        return np.asarray(value)
    except (TypeError, ValueError):  # it is ragged
        return np.asarray(None)


def array(value, what="numbers, as an array"):
    """Return what an attempt returned as a NumPy array of real numbers, or raise `NotYet`."""
    require(value is not None, f"nothing is returned, expected {what}")
    values = plain(value)
    negative = f"it is complex, expected {what}: where does a negative root come from?"
    require(values.dtype.kind != "c", negative)
    require(values.dtype.kind in "biuf", f"expected {what}, found a {type(value).__name__}")
    return values


def number(value):
    """Return what an attempt returned as one number, or raise `NotYet`."""
    values = array(value, "one number")
    require(values.shape == (), f"the result has shape {values.shape}, expected one number")
    return np.float64(values)


def tensor(value):
    """Return what an attempt returned if it is a tensor, or raise `NotYet`."""
    what = "expected a tensor, so that gradients can flow"
    require(torch.is_tensor(value), f"{what}; found a {type(value).__name__}")
    return value


def each(convert, count, what):
    """Return a function that makes a result a tuple of so many, each of them converted."""

    def converted(value):
        parts = tuple(value) if np.iterable(value) else ()
        require(len(parts) == count, f"expected {what}")
        return tuple(map(convert, parts))

    return converted


def returning(attempt, convert):
    """Return an attempt whose results are converted; itself where there is nothing to convert."""
    if convert is None:
        return attempt

    @wraps(attempt)
    def converted(*arguments, **keywords):
        return convert(attempt(*arguments, **keywords))

    return converted
