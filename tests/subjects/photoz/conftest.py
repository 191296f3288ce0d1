"""Galaxies with a redshift, and a model that was fitted to them."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def galaxies():
    """500 galaxies with a redshift, of which a fifth of the fluxes are missing."""
    from helpers.subjects.photoz import mock
    from helpers.subjects.photoz.columns import BANDS

    table, truth = mock.simulate(500, seed=6, z_peak=False)
    rng = np.random.default_rng(0)
    for band in BANDS:
        table.loc[rng.random(500) < 0.2, [f"f_{band}", f"e_{band}"]] = -99
    return table.assign(z_spec=truth["z"], id=[f"obj{i}" for i in range(500)])


@pytest.fixture(scope="session")
def model(galaxies):
    """A small random forest on fluxes and errors."""
    from helpers.subjects.photoz.columns import ERRORS, FLUXES
    from helpers.subjects.photoz.features import PhotometricFeatures
    from helpers.subjects.photoz.models import make

    forest = make("rf", PhotometricFeatures(FLUXES, ERRORS), n_estimators=20, n_jobs=1)
    return forest.fit(galaxies, galaxies["z_spec"].to_numpy())
