"""Tables of numbers that lie beside the code, with columns, units and sources in their heads."""

from pathlib import Path

import numpy as np


def read_table(path):
    """Read a table in the format ECSV (Astropy Proposal for Enhancement 6).

    Parameters
    ----------
    path : path

    Returns
    -------
    columns : dict of str to numpy.ndarray, shape (n_rows,)
        In the units that the head of the file names.
    meta : dict
        What else the head says.
    """
    from astropy.table import Table  # takes half a second, and only what simulates needs it

    table = Table.read(Path(path), format="ascii.ecsv")
    return {name: np.array(table[name]) for name in table.colnames}, dict(table.meta)
