"""Make one of the environments that the course is run in; it needs nothing but Python itself.

Usage::

    python -m tools.environment course FOLDER    # the exact set of requirements.txt
    python -m tools.environment colab FOLDER     # what Colab has, and what the set-up cells install
    python -m tools.environment latest FOLDER    # the same on the newest versions of everything

On Linux PyTorch comes without CUDA where there is no NVIDIA card; TORCH=cuda or TORCH=cpu decides
otherwise.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
COLAB = ROOT / "tools" / "colab.txt"
# What a notebook meets there besides what the course itself asks for.
NOTEBOOK = ("ipykernel", "ipython", "ipywidgets", "keras", "tensorflow")
NVIDIA = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/usr/lib/wsl/lib/nvidia-smi")


def main(arguments=None):
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("kind", choices=("course", "colab", "latest"))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    folder = options.folder.absolute()
    try:
        if options.kind == "course":
            course(folder)
        else:
            elsewhere(options.kind, folder)
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd)).split("\n")[0]
        print(f"this failed, see above: {command}", file=sys.stderr)
        return 1
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class SetupError(Exception):
    """Something that a person has to mend, said in one sentence."""


def course(folder):
    """The environment of `make run` and `make test`, in the running Python's version."""
    renewed = folder.exists()
    run(sys.executable, "-m", "venv", folder)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    light = without_cuda()
    torch = next(line for line in lines if line.startswith("torch=="))
    install_torch(folder, torch.split(" ;")[0], light)
    if light:
        # The same version of TensorFlow, without the kernels for NVIDIA's cards.
        lines = [re.sub(r"^tensorflow==", "tensorflow-cpu==", line) for line in lines]
    if renewed:
        # Both builds have the same files: of two, one would be left in pieces.
        other = "tensorflow" if light else "tensorflow-cpu"
        run(interpreter(folder), "-m", "pip", "uninstall", "--quiet", "--yes", other)
    chosen = folder / "requirements.txt"
    constraints = f"-c {(ROOT / 'requirements-cuda.txt').as_uri()}"
    lines = [constraints if line.startswith("-c ") else line for line in lines]
    chosen.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pip(folder, "-r", chosen)
    pip(folder, "--no-deps", "-e", ROOT)


def without_cuda():
    """Whether to take the builds without CUDA: what TORCH says, else where no NVIDIA card is seen.

    Only for Linux on Intel and AMD processors are there two builds to choose from.
    """
    wish = os.environ.get("TORCH", "")
    if wish not in ("", "cpu", "cuda"):
        raise SetupError(f"expected TORCH=cpu or TORCH=cuda, found TORCH={wish}")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return False
    card = shutil.which("nvidia-smi") or any(map(os.path.exists, NVIDIA))
    return wish == "cpu" or (wish == "" and not card)


def install_torch(folder, requirement, light):
    """Install PyTorch before all else, so that nothing brings another build of it."""
    if not light:
        return pip(folder, requirement)
    if reachable(CPU_INDEX):
        say(f"{requirement} without CUDA: no NVIDIA card is seen (TORCH=cuda for the other build)")
        return pip(folder, "--no-deps", "--index-url", CPU_INDEX, requirement)
    say(f"{requirement}: {CPU_INDEX} cannot be reached; the usual build is taken, maybe with CUDA")
    return pip(folder, requirement)


def reachable(address):
    """Whether a web page answers."""
    try:
        with urllib.request.urlopen(f"{address}/", timeout=10):
            return True
    except (OSError, ValueError):
        return False


def elsewhere(kind, folder):
    """An environment as participants have it, with the course installed as its set-up cells do."""
    recipe = f"{COLAB.read_text(encoding='utf-8')} {requirements()}"
    stamp = folder / "recipe.txt"
    known = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
    if kind == "latest" or known != recipe:
        shutil.rmtree(folder, ignore_errors=True)
        make = {"colab": colab, "latest": latest}
        make[kind](folder)
        stamp.write_text(recipe, encoding="utf-8")
    install_as_a_participant(folder)


def colab(folder):
    """Colab's published versions of all that the course and a notebook of it meet there."""
    text = COLAB.read_text(encoding="utf-8")
    wanted = re.search(r"with Python (3\.\d+)", text)[1]
    python = find_python(wanted)
    run(python, "-m", "venv", folder)
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))
    pinned = {normal(name): version for name, version in pinned.items()}
    install_torch(folder, f"torch=={pinned['torch']}", without_cuda())
    # What belongs to CUDA comes with PyTorch, whose build here may be another than there.
    cuda = re.compile(r"(cuda|nvidia)-|triton$")
    constraints = [f"{n}=={version}" for n, version in pinned.items() if not cuda.match(n)]
    path = folder / "constraints.txt"
    path.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    names = [name for name in (*requirements(), *NOTEBOOK) if name in pinned]
    pip(folder, "-c", path, *builds(names))


def latest(folder):
    """The newest versions of everything, on the newest Python that the course promises."""
    run(find_python("3.13"), "-m", "venv", folder)
    install_torch(folder, "torch", without_cuda())
    pip(folder, *builds(NOTEBOOK))


def builds(names):
    """Return the names with TensorFlow's smaller build where there is no NVIDIA card."""
    light = without_cuda()
    return ["tensorflow-cpu" if light and name == "tensorflow" else name for name in names]


def normal(name):
    """Return the name of a package as the index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements():
    """Return the names of what the course needs, for all of its hacks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"]]
    for extra in sorted(extras):
        if re.fullmatch(r"hack\d\d", extra):
            lines += extras[extra]
    return [normal(re.match(r"[\w.-]+", line)[0]) for line in lines]


def find_python(wanted):
    """Return a Python of this version, or what comes nearest, which is then said."""
    homes = [Path.home() / ".pyenv", Path(os.environ.get("PYENV_ROOT", "/nowhere"))]
    candidates = [shutil.which(f"python{wanted}")]
    candidates += [path for home in homes for path in home.glob(f"versions/{wanted}.*/bin/python")]
    for python in filter(None, candidates):
        found = subprocess.run([python, "--version"], capture_output=True, encoding="utf-8")
        if found.stdout.startswith(f"Python {wanted}."):
            return python
    mine = ".".join(map(str, sys.version_info[:2]))
    say(f"there is no Python {wanted} on this machine: these versions are tried on Python {mine}")
    return sys.executable


def install_as_a_participant(folder):
    """Run the set-up cell of every notebook, on the last commit, and say what that changed."""
    python = interpreter(folder)
    uninstall = ("-m", "pip", "uninstall", "--quiet", "--yes", "astro-ai-hacks")
    scripts = list(dict.fromkeys(map(setup_cell, sorted((ROOT / "notebooks").glob("*.ipynb")))))
    if not scripts:
        raise SetupError("notebooks/: there is none; run make notebooks")
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode:
        say("the last commit is what is installed: changes that are not committed are not in it")
    environment = {**clean_environment(), "HACK_REPO": ROOT.as_uri()}
    before, start = installed(python), time.monotonic()
    for script in scripts:
        # Each finds the course absent, as on a machine of its own.
        if "astro-ai-hacks" in installed(python):
            run(python, *uninstall)
        run(python, "-c", script, cwd=folder, env=environment)
    after = installed(python)
    new = sorted(f"{name} {after[name]}" for name in after.keys() - before.keys())
    changed = [
        f"{n} {before[n]} → {after[n]}" for n in before if n in after and before[n] != after[n]
    ]
    say(f"the set-up cells took {time.monotonic() - start:.0f} s")
    say(f"new: {', '.join(new)}")
    say(f"changed: {', '.join(changed) or 'nothing'}")


def setup_cell(path):
    """Return the code of a notebook's set-up cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [cell for cell in cells if "setup" in cell["metadata"].get("tags", [])]
    return "".join(found[0]["source"])


def installed(python):
    """Return the versions of all packages of an environment."""
    command = [python, "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {normal(package["name"]): package["version"] for package in listed}


def clean_environment():
    """Return the environment variables without those that are meant for other Pythons."""
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("HACK_", "PYTHON", "VIRTUAL_ENV"))
    }


def pip(folder, *arguments):
    """Install into an environment."""
    quiet = ("--quiet", "--disable-pip-version-check")
    run(interpreter(folder), "-m", "pip", "install", *quiet, *arguments)


def interpreter(folder):
    """Return the Python of an environment."""
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def run(*command, **options):
    """Run a command; raise `subprocess.CalledProcessError` if it fails."""
    subprocess.run([str(part) for part in command], check=True, **options)


def say(text):
    """Tell the user, in order with what pip prints."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
