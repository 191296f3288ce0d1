"""Readers of catalogues, on files that the tests write in each format."""

import gc
import gzip
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from helpers.datasets import reading, tables
from helpers.datasets.files import DataError
from helpers.datasets.tables import read_table


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    names = [f"gal{i}" for i in range(30)]
    columns = {"name": names, "Flux_a": rng.normal(5, 3, 30), "flux_b": rng.normal(5, 3, 30)}
    return pd.DataFrame(columns | {"z": rng.uniform(0, 3, 30)})


def as_hdf5_group(table, path):
    with h5py.File(path, "w") as file:
        group = file.create_group("photometry/inner")
        for name in table:
            text = not pd.api.types.is_numeric_dtype(table[name])
            group[name] = table[name].to_numpy().astype("S") if text else table[name]


def as_hdf5_compound(table, path):
    with h5py.File(path, "w") as file:
        file["catalogue"] = table.drop(columns="name").to_records(index=False)


def text(separator, head="", number=8):
    def write(table, path):
        rows = [
            separator.join(map(str, row)) for row in table.round(number).itertuples(index=False)
        ]
        Path(path).write_text(
            head + separator.join(table.columns) + "\n" + "\n".join(rows) + "\n", encoding="utf-8"
        )

    return write


def gzipped(table, path):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(table.to_csv(index=False))


def sextractor(table, path):
    head = "".join(
        f"#  {i} {name}   what it is   [unit]\n" for i, name in enumerate(table.columns, 1)
    )
    Path(path).write_text(head + table.to_csv(sep=" ", header=False, index=False), encoding="utf-8")


WRITERS = {
    "fits": lambda table, path: Table.from_pandas(table).write(path, format="fits"),
    "parquet": lambda table, path: table.to_parquet(path),
    "hdf5 group": as_hdf5_group,
    "hdf5 compound": as_hdf5_compound,
    "astropy hdf5": lambda table, path: Table.from_pandas(table.drop(columns="name")).write(
        path, format="hdf5", path="t"
    ),
    "csv": lambda table, path: table.to_csv(path, index=False),
    "csv gz": gzipped,
    "tabs": text("\t"),
    "semicolons": text(";"),
    "ascii": text("  "),
    "ascii #": text(" ", "# made by hand\n# "),
    "csv #": text(",", "# made by hand\n#"),
    "ecsv": lambda table, path: Table.from_pandas(table).write(path, format="ascii.ecsv"),
    "votable": lambda table, path: Table.from_pandas(table).write(path, format="votable"),
    "sextractor": sextractor,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_same_numbers(kind, table, tmp_path):
    path = tmp_path / "catalogue.dat"  # the format is told from the content
    WRITERS[kind](table, path)
    read = read_table(path, ["flux_b", "Flux_a", "z"])
    assert list(read) == ["flux_b", "Flux_a", "z"] and len(read) == 30
    for name in read:
        np.testing.assert_allclose(read[name], table[name], atol=1e-7)


def test_of_two_header_lines_the_one_with_the_wanted_names_counts(tmp_path):
    path = tmp_path / "eazy.cat"
    path.write_text(
        "# id f1 e1 z_spec\n# id F10 E10 z_spec\n  1  0.5 0.1   -1.0\n  2 -0.5  0.1 0.7\n",
        encoding="utf-8",
    )
    assert list(read_table(path)) == ["id", "f1", "e1", "z_spec"]
    assert read_table(path, ["F10"])["F10"].tolist() == [0.5, -0.5]


def test_case_is_forgiven_where_it_is_unambiguous(table, tmp_path):
    path = tmp_path / "a.csv"
    table.assign(FLUX_B=1.0).to_csv(path, index=False)
    assert list(read_table(path, ["FLUX_A"])) == ["FLUX_A"]
    assert (read_table(path, ["FLUX_B"])["FLUX_B"] == 1).all()
    with pytest.raises(DataError, match="more than one column is called 'Flux_B'"):
        read_table(path, ["Flux_B"])


def test_masked_entries_are_nan(tmp_path):
    path = tmp_path / "masked.fits"
    column = MaskedColumn([1, 2, 3], mask=[False, True, False], name="f")
    Table([column, [[1, 2], [3, 4], [5, 6]]], names=["f", "vector"]).write(path)
    read = read_table(path)
    assert list(read) == ["f"] and np.isnan(read["f"][1]) and read["f"][2] == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"SIMPLE  =                    T / cut off", "found one that cannot be read"),
        (b"\x89HDF\r\n\x1a\nnothing more", "found one that cannot be read"),
        (b"PAR1 nothing more", "found one that cannot be read"),
        (b"\x00\x01\x02\x03 binary", "another binary format"),
        (b"# only\n# comments\n", "comments only"),
        (b"1 2 3\n4 5 6\n", "names of the 3 columns"),
        (b"a,b\n", "without rows"),
    ],
)
def test_what_is_no_table_is_told_in_one_sentence(content, message, tmp_path):
    path = tmp_path / "broken.cat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_table(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("f1,f2\n1,10,0.5\n2,20,0.7\n", "2 entries .* found 3 in row 1"),  # as R writes row names
        ("f1 f2\n1 10 0.5\n2 20 0.7\n", "2 entries .* found 3 in row 1"),
        ("f1|f2\n|10|0.5|\n|20|0.7|\n", "2 entries .* found 4 in row 1"),
        ("f1,f2,z\n10,20,0.5\n10,20\n", "3 entries .* found 2 in row 2"),
        ("f1,f2,z\n10,20,0.5\n10,20,0.6,1\n", "3 entries .* found 4 in row 2"),
        ("f1  f2  z\n10  20  0.5\n    20  0.6\n", "3 entries .* found 2 in row 2"),  # f1 is blank
        ("# f1 f2 z\n10 20 0.5\n10 20 0.6 0.7\n", "3 entries .* found 4 in row 2"),
        ("# 1 f1\n# 2 f2\n# 3 z\n10 20\n10 20\n", "names of the 2 columns"),
        ("f1,f2,z\n10,20,0.5\n10,20,0.61", "a line break behind the last row"),
        ("f1,f2,z\n10,20,0.5\n10,20", "a line break behind the last row"),
    ],
)
def test_rows_are_never_shifted_filled_up_or_cut(content, wrong, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"expected (?:the )?{wrong}"):
        read_table(path)


@pytest.mark.parametrize(
    "content",
    [
        "|f1|z|\n|10|0.5|\n||0.7|\n",
        "| f1 | z |\n| 10 | 0.5 |\n| | 0.7 |\n",
        "f1\tz\n10\t0.5\n\t0.7\n",
        "f1,z,\r\n10,0.5,\r\n,0.7,\r\n",
        ",f1,z\n0,10,0.5\n1,,0.7\n",  # pandas writes row numbers so
        "# made by hand\nf1 z name\n10 0.5 NGC#1\n# in between\n\nnan 0.7 'M#31'\n",
        'name,f1,z\n"a, b #1",10,0.5\n"c ""d"" # e",--,0.7\n',
        'name f1 z\n"NGC 1" 10 0.5\n"M  31" nan 0.7\n',
        "#f1 z name\n10 0.5 #1\nnan 0.7 #2\n",
    ],
)
def test_text_is_read_rightly(content, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode())
    for columns in (None, ["f1", "z"], ["z", "f1"]):
        read = read_table(path, columns)
        assert set(read.columns) - {"name"} == {"f1", "z"}
        np.testing.assert_array_equal(read["f1"], [10, np.nan])
        np.testing.assert_array_equal(read["z"], [0.5, 0.7])


def test_a_sign_of_comments_inside_a_name_belongs_to_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,z\nNGC#1,0.5\n", encoding="utf-8")
    assert read_table(path)["name"].tolist() == ["NGC#1"]


def test_a_table_in_ecsv_that_is_cut_off_is_told(table, tmp_path):
    path = tmp_path / "a.ecsv"
    WRITERS["ecsv"](table, path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="a line break behind the last row"):
        read_table(path)


def test_a_fits_table_that_is_cut_off_is_told(table, tmp_path):
    path = tmp_path / "a.fits"
    WRITERS["fits"](table, path)
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(DataError, match="found one that cannot be read .*truncated"):
        read_table(path)


def test_a_table_makes_no_request(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(80))
    path = tmp_path / "a.xml"
    path.write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE><TABLE>'
        '<FIELD name="f" datatype="double"/><DATA>'
        f'<BINARY><STREAM href="{secret.as_uri()}"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="found the address of another file"):
        read_table(path)


def test_hdf5_from_another_file_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(80))
    for compound in (False, True):
        path = tmp_path / f"{compound}.hdf5"
        with h5py.File(path, "w") as file:
            dtype = [("f", float)] if compound else float
            file.create_dataset("f", (10,), dtype, external=[(str(tmp_path / "secret"), 0, 80)])
        with pytest.raises(DataError, match="found a link to another file"):
            read_table(path)


@pytest.mark.parametrize("kind", ["csv gz", "fits gz", "parquet", "votable gz"])
def test_what_would_fill_the_memory_is_refused(kind, tmp_path, monkeypatch):
    same = pd.DataFrame({"f": np.zeros(30_000)})
    path = tmp_path / "a.dat"
    WRITERS[kind.removesuffix(" gz")](same, path)
    if kind.endswith("gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_table(path)) == 30_000
    monkeypatch.setattr(reading, "LARGEST", 50_000)
    with pytest.raises(DataError, match="to unpack to 20 times its"):
        read_table(path)


def test_no_file_stays_open(table, tmp_path):
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        for kind in ("csv", "csv gz", "fits", "votable"):
            WRITERS[kind](table, tmp_path / "a.dat")
            read_table(tmp_path / "a.dat")
            (tmp_path / "a.dat").unlink()
        gc.collect()
    assert not [warning for warning in noted if warning.category is ResourceWarning]


def test_a_missing_column_lists_those_that_there_are(table, tmp_path):
    path = tmp_path / "a.parquet"
    table.to_parquet(path)
    with pytest.raises(DataError, match=r"no column 'u' in .*columns are: name, Flux_a, flux_b, z"):
        read_table(path, ["u"])
    with pytest.raises(DataError, match="found nothing"):
        read_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet", "fits", "hdf5 group"])
def test_the_other_columns_can_be_read_as_well(kind, table, tmp_path):
    path = tmp_path / "catalogue.dat"
    WRITERS[kind](table, path)
    read = read_table(path, ["FLUX_B", "z"], others=True)
    assert list(read)[:2] == ["FLUX_B", "z"] and set(read) == {"FLUX_B", "z", "name", "Flux_a"}
    np.testing.assert_allclose(read["FLUX_B"], table["flux_b"], atol=1e-7)
    np.testing.assert_allclose(read["Flux_a"], table["Flux_a"], atol=1e-7)


def test_a_file_is_read_once_whatever_is_asked_of_it(table, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    read = []
    monkeypatch.setattr(tables, "content", lambda path: read.append(path) or path.read_bytes())
    read_table(path, ["FLUX_A"], others=True)
    assert read == [path]


def test_a_table_with_rows_of_one_name_is_not_multiplied(table, tmp_path):
    path = tmp_path / "a.parquet"
    table.set_axis([0] * 30).to_parquet(path)
    assert len(read_table(path, ["z"], others=True)) == 30


def test_parquet_is_read_in_pieces_each_row_once(table, tmp_path):
    folder = tmp_path / "catalogue"
    folder.mkdir()
    table[:20].to_parquet(folder / "a.parquet", row_group_size=12)
    table[20:].to_parquet(folder / "b.parquet")
    groups, names = tables.row_groups(folder)
    assert names == list(table)
    assert [(group.path.name, group.n_rows) for group in groups] == [
        ("a.parquet", 12),
        ("a.parquet", 8),
        ("b.parquet", 10),
    ]
    parts = [list(tables.pieces(group, ["z", "name"], 5)) for group in groups]
    assert [[len(part) for part in some] for some in parts] == [[5, 5, 2], [5, 3], [5, 5]]
    found = pd.concat([part.to_pandas() for some in parts for part in some], ignore_index=True)
    pd.testing.assert_frame_equal(found, table[["z", "name"]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "a catalogue in Parquet at .* found nothing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "Parquet in .* cannot be read"),
        (lambda path: pd.DataFrame({"z": []}).to_parquet(path), "expected galaxies .* found none"),
    ],
)
def test_parquet_that_is_not_whole_is_told(change, message, table, tmp_path):
    path = tmp_path / "a.parquet"
    table.to_parquet(path)
    change(path)
    with pytest.raises(DataError, match=message):
        tables.row_groups(path)


def test_files_of_a_folder_have_the_same_columns(table, tmp_path):
    table.to_parquet(tmp_path / "a.parquet")
    table.drop(columns="z").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"the same columns in all .* found others in b\.parquet"):
        tables.row_groups(tmp_path)
