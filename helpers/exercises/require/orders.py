"""Random orders: whether they are."""

import numpy as np

from helpers.exercises.require.results import require

ALIKE = "a value comes to the same place too often: each may come to any place"
NEARLY = "an order is nearly the one before: draw each anew"
NEIGHBOURS = "neighbours stay neighbours: permute the values one by one"
OBSERVED = (
    "the values in their own order are among the results: that is what is observed, not chance"
)
PART = "the values move within a part of the places only: each may come to any place"
STAY = "too many of the values stay where they are: permute all of them"


def require_random_orders(orders):
    """Raise `NotYet` unless these look like random orders, one as likely as another.

    Parameters
    ----------
    orders : array of int, shape (m, n)
        In each row n things, numbered from 0.
    """
    m, n = orders.shape
    start = np.arange(n)
    unmoved = orders == start
    require(not unmoved.all(axis=1).any(), OBSERVED)
    require(unmoved.mean(axis=0).max() < 0.9, STAY)
    kept = (orders[1:] == orders[:-1]).sum(axis=1).mean()
    require(kept < n / 3, NEARLY)
    steps = (orders - np.roll(orders, 1, axis=1)) % n
    neighbours = np.isin(steps, (1, n - 1)).sum(axis=1).mean()
    require(neighbours < n / 5, NEIGHBOURS)  # 2 would be chance
    counts = np.zeros((n, n))  # how often each thing comes to each place
    np.add.at(counts, (orders, np.broadcast_to(start, orders.shape)), 1)
    expected = m / n
    require((counts == 0).mean() < np.exp(-expected) + 0.15, PART)
    scatter = 1 / np.sqrt(m)  # of the mean of m numbers of fixed points: mean and variance are 1
    require(unmoved.sum(axis=1).mean() < 1 + 6 * scatter, STAY)
    require(counts.max() < expected + 8 * np.sqrt(expected) + 6, ALIKE)
