"""Write what follows from ``solutions/NN_name.py``: notebooks, reference module, table of hacks.

Usage::

    python -m tools.generate [--hack 06] [--execute auto|always|never] [--repo owner/name]
    python -m tools.generate --check
"""

import argparse
import base64
import re
import sys
import tempfile
from pathlib import Path

from tools import lesson
from tools.execution import (
    course_environment,
    error_outputs,
    execute,
    outputs_sha256,
    refuse_outputs,
    unexecuted,
)
from tools.listing import (
    ORIGIN,
    TABLE,
    badges,
    extra,
    hack_table,
    read_minutes,
    record_minutes,
    repository,
    set_repository,
    time_sentence,
)
from tools.notebooks import dumps, participants_notebook, read_notebook, solved_notebook, write
from tools.reference_module import PACKAGE, reference_module
from tools.sources import NAME, ROOT, CourseError, read_hacks, select
from tools.teaching import GUIDES, teaching_guide

MEND = "run: make notebooks"
EXECUTED = ("source_sha256", "outputs_sha256", "profile")  # what an execution says of itself
GENERATED = (
    "notebooks/**/*.ipynb",
    "solutions/**/*.ipynb",
    "docs/gallery/**/*.png",
    "helpers/reference/**/*.py",
)
OURS = re.compile(
    rf"(notebooks|solutions)/{NAME.pattern}\.ipynb"
    rf"|docs/gallery/{NAME.pattern}\.png"
    r"|helpers/reference/hack\d\d\.py"
)


def _about(root, hack):
    """Return what the notebooks of a hack say of the course: header, extra of pip, address."""
    repo = repository(root)
    minutes = read_minutes(root).get(hack.name, {})
    time = time_sentence(minutes, lesson.minutes(hack))
    header = {"badges": badges(repo, hack.name), "time": time, "origin": ORIGIN}
    return header, extra(root, hack.number), f"https://github.com/{repo}"


def solved(root, hack):
    """Return the solved notebook of a hack, without outputs."""
    return solved_notebook(hack, *_about(root, hack))


def _with_outputs(notebook, previous):
    """Return the notebook with what an execution left in `previous`, cell by cell."""
    if previous is None:
        return notebook
    kept = {cell.get("id"): cell for cell in previous.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        old = kept.get(cell.id)
        if cell.cell_type == "code" and old is not None:
            cell.outputs = old.outputs
            cell.execution_count = old.execution_count
            if "seconds" in old.metadata:
                cell.metadata["seconds"] = old.metadata["seconds"]
    said = {name: value for name, value in _mark(previous).items() if name in EXECUTED}
    _mark(notebook).update(said)
    return notebook


def _mark(notebook):
    return notebook.metadata.get("astro_ai_hacks", {})


def execution_fault(hack, notebook):
    """Return why the executed notebook does not belong to its source, or None."""
    if notebook is None:
        return "missing"
    mark = _mark(notebook)
    if mark.get("source_sha256") != hack.sha256 or mark.get("profile") != "demo":
        return "not executed since its code changed"
    if error_outputs(notebook):
        return "an output is an error"
    if unexecuted(notebook):
        return "not executed to its end"
    try:
        for cell in notebook.cells:
            refuse_outputs(cell, hack.name, (hack.root, Path.home()))
    except CourseError as error:
        return str(error)
    if mark.get("outputs_sha256") != outputs_sha256(notebook):
        return "its outputs are not those of its execution"
    return None


def execute_solved(root, hack):
    """Execute the solved notebook at the demo profile, write it, and record its minutes."""

    def finished(number, total, cell):
        refuse_outputs(cell, hack.name, (root, Path.home(), outputs))
        seconds = cell.metadata["seconds"]
        print(f"{hack.name}: cell {number} of {total}, {seconds} s", file=sys.stderr, flush=True)

    notebook = solved(root, hack)
    with tempfile.TemporaryDirectory() as outputs:
        environment = course_environment(root, "demo", outputs, HACK_STRICT="1")
        seconds = execute(notebook, hack.name, root / "solutions", environment, finished=finished)
    notebook.metadata["astro_ai_hacks"].update(
        source_sha256=hack.sha256, outputs_sha256=outputs_sha256(notebook), profile="demo"
    )
    if _has_gallery(notebook) and not _gallery(notebook):
        raise CourseError(f'{hack.name}: the cell tagged "gallery" shows no figure')
    write(hack.path.with_suffix(".ipynb"), dumps(notebook))
    record_minutes(root, "demo", {hack.name: seconds / 60})


def _has_gallery(notebook):
    return any("gallery" in cell.metadata.get("tags", ()) for cell in notebook.cells)


def _gallery(notebook):
    """Return the picture of the cell tagged "gallery" as bytes, or None where there is none."""
    for cell in notebook.cells:
        if "gallery" in cell.metadata.get("tags", ()):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None


def generated(root, hack):
    """Return what follows from one source, as a dictionary from path to text or bytes."""
    notebook = hack.path.with_suffix(".ipynb")
    executed = _with_outputs(solved(root, hack), read_notebook(notebook))
    files = {
        root / "helpers" / "reference" / f"hack{hack.number}.py": reference_module(hack),
        root / "notebooks" / notebook.name: dumps(participants_notebook(hack, *_about(root, hack))),
        notebook: dumps(executed),
    }
    picture = _gallery(executed)
    if picture:
        files[root / "docs" / "gallery" / f"{hack.name}.png"] = picture
    return files


def common(root, hacks):
    """Return the generated files that belong to no single hack, as `generated` does."""
    files = {root / "helpers" / "reference" / "__init__.py": PACKAGE}
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    table = hack_table(root, hacks)
    changed = TABLE.sub(lambda found: found[1] + table + found[2], text)
    files |= {readme: changed} if TABLE.search(text) else {}
    teaching = root / "docs" / "teaching.md"
    text = teaching.read_text(encoding="utf-8") if teaching.is_file() else ""
    guides = teaching_guide(root, hacks)
    changed = GUIDES.sub(lambda found: found[1] + guides + found[2], text)
    return files | ({teaching: changed} if GUIDES.search(text) else {})


def orphans(root, hacks):
    """Return the files that stand where generated ones do, and have no source."""
    known = {root / "helpers" / "reference" / "__init__.py"}
    for hack in hacks:
        known.add(root / "helpers" / "reference" / f"hack{hack.number}.py")
        known.add(root / "notebooks" / f"{hack.name}.ipynb")
        known.add(root / "solutions" / f"{hack.name}.ipynb")
        known.add(root / "docs" / "gallery" / f"{hack.name}.png")
    found = [path for place in GENERATED for path in sorted(root.glob(place))]
    # Jupyter's checkpoints and other hidden files are nobody's business.
    shown = [path for path in found if "/." not in path.relative_to(root).as_posix()]
    return [path for path in shown if path not in known]


def stale(root):
    """Return a line for each generated file that is missing, out of date, or without source."""
    hacks = read_hacks(root)
    lines = []
    files = common(root, hacks)
    for hack in hacks:
        files |= generated(root, hack)
    for path, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        if not path.is_file():
            lines.append(f"{path.relative_to(root)}: missing")
        elif path.read_bytes().replace(b"\r\n", b"\n") != data.replace(b"\r\n", b"\n"):
            lines.append(f"{path.relative_to(root)}: differs from what its source gives")
    for hack in hacks:
        path = hack.path.with_suffix(".ipynb")
        fault = execution_fault(hack, read_notebook(path))
        if fault and path.is_file():
            lines.append(f"{path.relative_to(root)}: {fault}")
    if root / "README.md" not in files:
        lines.append(
            "README.md: <!-- hacks:begin --> and <!-- hacks:end -->, a line each, are gone"
        )
    for path in orphans(root, hacks):
        by_hand = "" if _ours(root, path) else ": remove it by hand"
        lines.append(f"{path.relative_to(root)}: it has no source{by_hand}")
    return lines


def _ours(root, path):
    """Whether the generator wrote the file, as its place, its name and a notebook's mark say."""
    if not OURS.fullmatch(path.relative_to(root).as_posix()):
        return False
    return path.suffix != ".ipynb" or "astro_ai_hacks" in path.read_text(encoding="utf-8")


def generate(root, only=None, mode="auto"):
    """Write everything generated, executing what `mode` asks for.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    only : str, optional
        Number or name of the one hack to treat.
    mode : {"auto", "always", "never"}
        Whether to execute the solved notebooks; "auto" does so where the source changed since.

    Returns
    -------
    list of pathlib.Path
        The files that changed.
    """
    hacks = read_hacks(root)
    chosen = select(hacks, only)
    before = {path: path.read_bytes() for path in _written(root) if path.is_file()}
    # A solved notebook is executed with its own reference module already in place.
    for hack in chosen:
        write(root / "helpers" / "reference" / f"hack{hack.number}.py", reference_module(hack))
    write(root / "helpers" / "reference" / "__init__.py", PACKAGE)
    for hack in chosen:
        fault = execution_fault(hack, read_notebook(hack.path.with_suffix(".ipynb")))
        if mode == "always" or (mode == "auto" and fault):
            execute_solved(root, hack)
    for files in [generated(root, hack) for hack in chosen] + [common(root, hacks)]:
        for path, content in files.items():
            write(path, content)
    for path in orphans(root, hacks):
        if _ours(root, path):
            path.unlink()
    return sorted(path for path in _written(root) | set(before) if before.get(path) != _bytes(path))


def _written(root):
    found = {path for place in GENERATED for path in root.glob(place)}
    return found | {
        root / "README.md",
        root / "docs" / "teaching.md",
        root / "benchmarks" / "minutes.json",
    }


def _bytes(path):
    return path.read_bytes() if path.is_file() else None


def main(arguments=None):
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--hack", default="", help="number or name of the one hack to treat")
    parser.add_argument("--execute", default="auto", choices=("auto", "always", "never"))
    parser.add_argument(
        "--repo", default="", help="the public address, owner/name, to write everywhere"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if anything is stale"
    )
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    try:
        if options.check:
            lines = stale(root)
            print("\n".join([*lines, MEND]) if lines else "everything generated is up to date")
            return bool(lines)
        if options.repo:
            set_repository(root, options.repo)
        changed = generate(root, options.hack, options.execute)
        print("\n".join(f"{path.relative_to(root)}" for path in changed) or "nothing to change")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the notebook that was running is as it was", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
