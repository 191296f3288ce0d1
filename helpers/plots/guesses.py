"""What a participant expected, drawn beside what came out."""

from numbers import Real

import numpy as np

COLOUR = "tab:purple"


def draw_guess(axis, guess, *, along="y", label="your guess"):
    """Draw a number that was guessed as a line into a figure; say so where there is none.

    Nothing that is written into the cell of a guess stops the notebook.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    guess : float or None
        None as long as nobody has guessed.
    along : {"x", "y"}
        The axis that the guess is a value of.
    label : str
    """
    line = {"x": axis.axvline, "y": axis.axhline}[along]
    if is_number(guess):
        shown = f"{label}: {float(guess):g}"
        line(float(guess), color=COLOUR, linestyle="-.", linewidth=1.5, label=shown)
    else:
        shown = f"{label}: none" if guess is None else f"{label}: not a number"
        axis.plot([], [], color=COLOUR, linestyle="-.", linewidth=1.5, label=shown)
    axis.legend()


def is_number(guess):
    """Whether a guess is one finite number."""
    return isinstance(guess, Real) and not isinstance(guess, bool) and bool(np.isfinite(guess))


def compare_order(guess, values, *, larger_first=True):
    """Set an order that was guessed beside the order that came out.

    Parameters
    ----------
    guess : sequence of str, or None
        Names, in the order that was expected.
    values : dict of str to float
        What came out, by name.
    larger_first : bool
        Whether the largest value comes first.

    Returns
    -------
    pandas.DataFrame
        One row a name, in the order that came out: its value, its place, and the place guessed,
        "–" where it was not guessed.
    """
    import pandas as pd

    ordered = sorted(values, key=values.get, reverse=larger_first)
    named = list(guess) if isinstance(guess, list | tuple) else []
    places = {name: place for place, name in enumerate(named, 1) if isinstance(name, str)}
    rows = {
        name: {"value": values[name], "place": place, "your guess": places.get(name, "–")}
        for place, name in enumerate(ordered, 1)
    }
    return pd.DataFrame.from_dict(rows, orient="index")
