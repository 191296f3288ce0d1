"""What ``run.scoreboard()`` leaves on disk, read and checked before it is shown."""

import json

from jsonschema import ValidationError, validate

from tools.sources import CourseError

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
ROW = {
    "type": "object",
    "required": ["what"],
    "properties": {
        "what": {"type": "string"},
        "met": {"type": ["boolean", "null"]},
        **dict.fromkeys(("value", "error", "baseline", "floor"), NUMBER),
        **dict.fromkeys(("unit", "target", "baseline_name", "floor_name"), TEXT),
        "source": {"type": ["string", "number", "null"]},
    },
}
BOARD = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {"type": "array", "items": ROW},
        "mock": {"type": "boolean"},
        "device": {"type": "string"},
        "seed": {"type": "integer"},
    },
}


def forget_scoreboard(path):
    """Remove the scoreboard of an earlier run; return whether there is none now."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def read_scoreboard(path):
    """Return the scoreboard at `path` as a dictionary, or None if the hack wrote none.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict or None

    Raises
    ------
    CourseError
        If it is not what ``run.scoreboard()`` writes.
    """
    expected = f"{path.stem}: expected the scoreboard that run.scoreboard() writes"
    try:
        board = json.loads(path.read_text(encoding="utf-8"))
        validate(board, BOARD)
    except OSError:
        return None
    except ValidationError as error:
        wanted = f"{error.validator} {error.validator_value}"
        raise CourseError(f"{expected}, found at {error.json_path} other than {wanted}") from None
    except ValueError:
        raise CourseError(f"{expected}, found a file that is not JSON") from None
    return board
