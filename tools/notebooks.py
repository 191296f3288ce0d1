"""From the source of a hack to its two notebooks; files appear only when they are whole."""

from dataclasses import replace
from itertools import groupby

import nbformat

from helpers.datasets.files import atomic_path
from tools import lesson

EXPERIMENT = "# Your experiment here."
SETUP = """\
# Set-up: installs the course where it is absent (Colab); an existing installation is left alone.
import importlib
import os
import subprocess
import sys

# Sizes of data and training: "ci", "demo" (the default), or "full", which is meant for a GPU.
# os.environ["HACK_PROFILE"] = "full"
# Where checkpoints outlive a dead kernel; on Colab, a drive that is mounted first:
# from google.colab import drive; drive.mount("/content/drive")
# os.environ["HACK_OUTPUT"] = "/content/drive/MyDrive/hacks"

try:
    from helpers import cores
except ImportError:
    print("Installing the course: about a minute.", flush=True)
    address = os.environ.get("HACK_REPO", "ADDRESS")
    course = f"EXTRAgit+{address}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", course], check=True)
    importlib.invalidate_caches()
    sys.modules.pop("helpers", None)
    from helpers import cores

cores.share()  # before PyTorch is imported: its threads leave other programs room"""
# With this Colab opens a notebook on a GPU.
GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}}


def solved_notebook(hack, header, extra, address):
    """Return the solved notebook, without outputs.

    Parameters
    ----------
    hack : Hack
    header : dict of str to str
        What replaces ``{badges}`` and ``{minutes}`` in the first text cell.
    extra : str
        For the set-up cell: what names the extra of this hack to pip, if it has one.
    address : str
        The repository's public address, for the set-up cell.

    Returns
    -------
    nbformat.NotebookNode
    """
    cells = []
    for cell in hack.cells:
        if "exercise" in cell.tags:
            cell = replace(cell, source=hack.exercises[cell.id].solved())
        cells += lesson.solved(cell)
    return _notebook(hack, cells, header, extra, address)


def participants_notebook(hack, header, extra, address):
    """Return the notebook with a stub in each exercise, without answers; see `solved_notebook`."""
    cells = []
    for answer, group in groupby(hack.cells, key=lambda cell: "answer" in cell.tags):
        if answer:
            cells.append(replace(next(group), kind="code", source=EXPERIMENT, tags=()))
            continue
        for cell in group:
            if "exercise" in cell.tags:
                cell = replace(cell, source=hack.exercises[cell.id].stub())
            cells += lesson.participants(cell)
    return _notebook(hack, cells, header, extra, address)


def _notebook(hack, cells, header, extra, address):
    notebook = nbformat.v4.new_notebook()
    notebook.nbformat_minor = 5
    notebook.metadata = nbformat.from_dict(
        {
            "astro_ai_hacks": {"source": hack.source},
            **GPU,
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    cells = _with_protocol(cells, hack)
    first = next((i for i, cell in enumerate(cells) if cell.kind == "markdown"), None)
    for i, cell in enumerate(cells):
        source = cell.source
        if i == first:
            for placeholder, text in header.items():
                source = source.replace("{" + placeholder + "}", text)
        if "setup" in cell.tags:
            source = SETUP.replace("EXTRA", extra).replace("ADDRESS", address)
        new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        metadata = {"tags": list(cell.tags)} if cell.tags else {}
        notebook.cells.append(new(source, id=cell.id, metadata=metadata))
    return notebook


def _with_protocol(cells, hack):
    """Return the cells with how an exercise answers before the first exercise."""
    places = [place for place, cell in enumerate(cells) if "exercise" in cell.tags]
    if not places:
        return cells
    how = lesson.HOW.format(first=next(iter(hack.exercises.values())).id)
    protocol = replace(cells[places[0]], kind="markdown", source=how, tags=(), id="protocol")
    return [*cells[: places[0]], protocol, *cells[places[0] :]]


def dumps(notebook):
    """Return the notebook as text, always the same for the same content."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def read_notebook(path):
    """Return the notebook at `path`, or None if there is none that can be read."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, TypeError, AttributeError, KeyError, nbformat.ValidationError):
        return None


def write(path, content):
    """Write text or bytes at once or not at all; return whether that changed anything."""
    data = content if isinstance(content, bytes) else content.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    with atomic_path(path) as part:
        part.write_bytes(data)
    return True
