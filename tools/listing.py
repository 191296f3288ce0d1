"""What is said about the hacks: public address, measured minutes, the table in the README."""

import json
import re
import tomllib

from jsonschema import ValidationError, validate

from tools.notebooks import write
from tools.sources import CourseError

PROFILES = ("ci", "demo", "full")
CI = "`ci` only proves that every cell runs: what the text says of results holds for `demo`."
ORIGIN = (
    "Students of a summer school on astronomy and machine learning asked this question first, in "
    "2024, in a hack of some days: their notebooks and slides are **the source** in what follows."
)
PLANNED = {
    "01": "A generative model for galaxy spectra",
    "02": "What does a GAN's latent space mean?",
    "03": "Photometric redshifts",
    "04": "Galaxy cluster masses, and rotation",
    "05": "Cosmological parameters from CAMELS maps",
    "06": "Cherenkov rings",
    "07": "Galaxy images: GANs, super-resolution, and a score",
    "08": "Radio galaxies, and augmentation by a generator",
    "09": "An adversarial latent autoencoder",
    "10": "A variational autoencoder of several modalities",
}
BY_PROFILE = {"type": "object", "additionalProperties": {"type": "number"}}
MINUTES = {"type": "object", "additionalProperties": BY_PROFILE}  # a JSON schema
TABLE = re.compile(r"(<!-- hacks:begin -->\n).*?(<!-- hacks:end -->)", re.DOTALL)
REPOSITORY = re.compile(
    r'^(Repository\s*=\s*")https://github\.com/([\w.-]+/[\w.-]+?)(")', re.MULTILINE
)


def repository(root):
    """Return owner/name of the public repository, from pyproject.toml."""
    found = REPOSITORY.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if not found:
        raise CourseError(
            'pyproject.toml: [project.urls] needs Repository = "https://github.com/owner/name"'
        )
    return found[2]


def extra(root, number):
    """Return what stands before the address given to pip, where a hack has an extra of its own."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = f"hack{number}"
    known = name in project.get("optional-dependencies", {})
    return f"{project['name']}[{name}] @ " if known else ""


def set_repository(root, name):
    """Write owner/name into pyproject.toml, the one place where it stands."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise CourseError(
            f'REPO={name}: give it as owner/name, as in "https://github.com/owner/name"'
        )
    repository(root)
    path = root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    address = rf"\g<1>https://github.com/{name}\g<3>"
    write(path, REPOSITORY.sub(address, text))


def read_minutes(root):
    """Return the measured minutes: ``{"06_cherenkov_rings": {"ci": 0.4, "demo": 5.2}}``."""
    path = root / "benchmarks" / "minutes.json"
    if not path.is_file():
        return {}
    try:
        minutes = json.loads(path.read_text(encoding="utf-8"))
        validate(minutes, MINUTES)
    except (ValueError, ValidationError):
        what = "expected the minutes of each hack by profile, found something else"
        raise CourseError(f"benchmarks/minutes.json: {what}: mend it or remove it") from None
    return minutes


def record_minutes(root, profile, measured):
    """Add measured minutes, a dictionary by hack, to ``benchmarks/minutes.json``."""
    minutes = read_minutes(root)
    for name, value in measured.items():
        minutes.setdefault(name, {})[profile] = round(value, 1)
    text = json.dumps(minutes, indent=2, sort_keys=True)
    write(root / "benchmarks" / "minutes.json", text + "\n")


def badges(repo, name):
    """Return the launch badges of a participants' notebook, in Markdown."""
    colab = f"https://colab.research.google.com/github/{repo}/blob/main/notebooks/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{repo}/HEAD?labpath=notebooks/{name}.ipynb"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Launch on Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def time_sentence(minutes, sections=()):
    """Say in Markdown how long a hack takes: a person, and the computer at each profile.

    Parameters
    ----------
    minutes : dict of str to float
        What the computer was measured to take, by profile.
    sections : sequence of (str, int)
        Headings, and the minutes that a person needs for each.

    Returns
    -------
    str
    """
    needed = sum(number for _, number in sections)
    you = f"about {needed // 60} h {needed % 60:02} min" if needed else "about 2 to 3 hours"
    known = [f"`{p}` {minutes[p]} min" if p in minutes else f"`{p}` not measured" for p in PROFILES]
    return f"You: {you}. The computer: {', '.join(known)} (on 2 CPU cores, without a GPU). {CI}"


def hack_table(root, hacks):
    """Return the table of hacks for the README, in Markdown."""
    minutes = read_minutes(root)
    repo = repository(root)
    rows = {number: f"| {number} | **{title}** | coming | | |" for number, title in PLANNED.items()}
    for hack in hacks:
        what = f"**{hack.title}**<br>{hack.question}".replace("|", r"\|")
        links = f"[notebook](notebooks/{hack.name}.ipynb) · [solution](solutions/{hack.name}.ipynb)"
        measured = minutes.get(hack.name, {}).get("demo", "not measured yet")
        rows[hack.number] = (
            f"| {hack.number} | {what} | {measured} | {badges(repo, hack.name)} | {links} |"
        )
    head = ["| Hack | Question | Minutes | Launch | Read |", "|---|---|---|---|---|"]
    return "\n".join(head + [rows[number] for number in sorted(rows)]) + "\n"
