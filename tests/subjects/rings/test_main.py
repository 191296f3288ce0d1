"""The command line that writes a folder of rings."""

import pytest

from helpers.subjects import rings
from helpers.subjects.rings.__main__ import main


@pytest.mark.parametrize("kind", ["classifier", "regressor", "ellipse"])
def test_command_line_makes_a_folder(tmp_path, kind, capsys):
    folder = tmp_path / "made"
    assert main(["make", str(folder), "--n", "4", "--kind", kind, "--seed", "2"]) == 0
    assert len(rings.load(path=folder)) == 4
    assert main(["make", str(folder), "--n", "4"]) == 1
    assert "expected a new or empty folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["make", str(tmp_path / "other"), "--n", "0"])
