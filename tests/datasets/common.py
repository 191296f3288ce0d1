"""What the tests of downloads, files and the cache share."""

import hashlib
from pathlib import Path

import numpy as np

CONTENT = np.random.default_rng(1).bytes(400_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


def names(folder):
    """What lies in a folder, in order."""
    return sorted(path.name for path in Path(folder).iterdir())
