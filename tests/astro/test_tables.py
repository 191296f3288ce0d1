"""Every table beside the code can be read, and says what it holds and where it is from."""

from pathlib import Path

import numpy as np
import pytest

import helpers
from helpers.astro.tables import read_table

TABLES = sorted(Path(helpers.__file__).parent.rglob("*.ecsv"))


def test_there_are_tables():
    assert len(TABLES) >= 6


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_has_rows_and_names_its_source(path):
    columns, meta = read_table(path)
    lengths = {len(values) for values in columns.values()}
    assert len(lengths) == 1 and lengths.pop() > 0
    assert meta["source"]
    for name, values in columns.items():
        if values.dtype.kind == "f":
            assert np.isfinite(values).all(), name
    if "wavelength" in columns:
        assert "unit: Angstrom" in path.read_text(encoding="utf-8")
        assert (columns["wavelength"] > 3000).all() and (columns["wavelength"] < 11_000).all()
