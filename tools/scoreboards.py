"""What ``run.scoreboard()`` leaves on disk, read and checked before it is shown."""

import json

from jsonschema import ValidationError, validate

from helpers.scoreboard import NUMBERS, VERDICTS, Scoreboard
from tools.sources import CourseError

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
TEXTS = ("unit", "target", "baseline_name", "floor_name", "ceiling_name")
ROW = {
    "type": "object",
    "required": ["what"],
    "properties": {
        "what": {"type": "string"},
        "met": {"type": ["boolean", "null"]},
        "source": {"type": ["string", "number", "null"]},
        **dict.fromkeys(NUMBERS, NUMBER),
        **dict.fromkeys(TEXTS, TEXT),
    },
}
CLAIM = {
    "type": "object",
    "required": ["claim", "found", "verdict", "data"],
    "properties": {
        "verdict": {"enum": list(VERDICTS)},
        "source": TEXT,
        **dict.fromkeys(("claim", "found", "data"), {"type": "string"}),
    },
}
BOARD = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {"type": "array", "items": ROW},
        "claims": {"type": "array", "items": CLAIM},
        "mock": {"type": "boolean"},
        "device": {"type": "string"},
        "seed": {"type": "integer"},
        **dict.fromkeys(("name", "profile"), {"type": "string"}),
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
    """Return the scoreboard at `path`, or None if the hack wrote none.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    helpers.scoreboard.Scoreboard or None

    Raises
    ------
    CourseError
        If it is not what ``run.scoreboard()`` writes.
    """
    expected = f"{path.stem}: expected the scoreboard that run.scoreboard() writes"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        board = json.loads(text)
    except ValueError:
        raise CourseError(f"{expected}, found a file that is not JSON") from None
    try:
        validate(board, BOARD)
        return Scoreboard.from_json(board)
    except ValidationError as error:
        wanted = f"{error.validator} {error.validator_value}"
        raise CourseError(f"{expected}, found at {error.json_path} other than {wanted}") from None
    except ValueError as error:
        raise CourseError(f"{expected}, found {error}") from None
