"""One page with everything that the hacks found: scoreboards and figures, in a file that needs no other."""

import html
import re
from dataclasses import dataclass

from nbconvert.filters import markdown2html

from helpers.metrics import format_number

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fbfbf9; --soft: #626b7a; --line: #d9dce2;
  --good: #16794a; --bad: #b3261e; --mark: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #14171c; --soft: #9aa3b2;
  --line: #333a45; --good: #5fce98; --bad: #ff8a80; --mark: #f0b95a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin: 0; }
article { border-top: 2px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
.soft, figcaption { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
.mock { color: var(--mark); font-weight: 600; } a { color: inherit; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left;
  vertical-align: top; }
.figures { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; } figure img { background: #fff; border-radius: 4px; height: auto; max-width: 100%; }
figcaption p { margin: 0 0 .4rem; font-size: .95rem; }
pre { border-left: 3px solid var(--bad); overflow-x: auto; padding-left: .8rem; font-size: .85rem; }
"""
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Astro-AI Hacks: results</title>
<style>{style}</style>
</head>
<body>
<h1>Astro-AI Hacks: results</h1>
<p class="soft">{state}</p>
{articles}
</body>
</html>
"""
KINDS = ("image/png", "image/jpeg", "image/svg+xml")


@dataclass(frozen=True)
class Result:
    """What one hack left: the scoreboard that ``run.scoreboard()`` wrote, and what `figures` returns."""

    number: str
    name: str
    title: str
    question: str
    minutes: float
    profile: str
    scoreboard: dict | None
    figures: list
    error: str = ""
    traceback: str = ""

    @property
    def mock(self):
        """Whether the numbers are of simulated data."""
        return bool(self.scoreboard and self.scoreboard.get("mock"))

    @property
    def summary(self):
        """One line for the terminal."""
        if self.error:
            return f"{self.number} {self.title}: FAILED. {self.error}"
        data = "; on MOCK data, simulated here, not observed" if self.mock else ""
        return f"{self.number} {self.title}: done in {self.minutes:.1f} min{data}"


def figures(notebook):
    """Return (kind, content, caption in Markdown) of each figure of an executed notebook, in order.

    The caption is the last paragraph of the text before the figure.
    """
    found, caption = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            caption = re.split(r"\n\s*\n", cell.source.strip())[-1]
        for output in cell.get("outputs", ()):
            kind = next((kind for kind in KINDS if kind in output.get("data", {})), None)
            if kind:
                found.append((kind, output.data[kind], caption))
    return found


def results_page(results, waiting):
    """Return the page as HTML.

    Parameters
    ----------
    results : list of Result
        Of the hacks that have run.
    waiting : list of str
        Titles of the others, the first of which runs now.

    Returns
    -------
    str
    """
    state = f"{len(results)} of {len(results) + len(waiting)} hacks have run."
    if waiting:
        state += f" Now: {html.escape(waiting[0])}. Load the page again to see more."
    articles = "\n".join(map(_article, results))
    # Not str.format: a style sheet is full of braces.
    page = PAGE.replace("{style}", STYLE).replace("{state}", state)
    return page.replace("{articles}", articles)


def _article(result):
    board = result.scoreboard or {}
    facts = [f"{result.minutes:.1f} min", f"profile {board.get('profile', result.profile)}"]
    facts += [f"{key} {board[key]}" for key in ("device", "seed") if key in board]
    link = f'<a href="{result.name}.html">the executed notebook</a>'
    parts = [
        f'<article id="{result.name}">',
        f"<h2>{result.number} {html.escape(result.title)}</h2>",
        f"<div>{markdown2html(result.question)}</div>",
        f'<p class="soft">{html.escape(" · ".join(facts))} · {link}</p>',
    ]
    if result.mock:
        parts.append('<p class="mock">MOCK data: simulated here, not observed.</p>')
    if result.error:
        parts.append(f'<p class="bad">Failed: {html.escape(result.error)}</p>')
    if result.traceback:
        parts.append(f"<pre>{html.escape(result.traceback)}</pre>")
    if board.get("rows"):
        parts.append(_table(board["rows"]))
    if result.figures:
        shown = "\n".join(_figure(result, *figure) for figure in result.figures)
        parts.append(f'<div class="figures">\n{shown}\n</div>')
    return "\n".join([*parts, "</article>"])


def _table(rows):
    head = ("What", "This run", "Source", "Baseline", "Floor", "Target", "")
    lines = ["<tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"]
    for row in rows:
        met = {True: '<span class="good">✓ met</span>', False: '<span class="bad">✗ not met</span>'}
        cells = [html.escape(text) for text in _cells(row)] + [met.get(row.get("met"), "")]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _cells(row):
    """Return the texts of one line of the scoreboard, but for the last column."""
    error = row.get("error")
    value = "" if row.get("value") is None else format_number(row["value"], error)
    named = [
        f"{format_number(row[key], negligible=(error or 0) / 100)} {_in_brackets(row.get(f'{key}_name'))}".rstrip()
        if row.get(key) is not None
        else ""
        for key in ("baseline", "floor")
    ]
    unit = f" {row['unit']}" if row.get("unit") else ""
    return [str(row.get("what", "")), value + unit, str(row.get("source") or ""), *named, str(row.get("target") or "")]


def _in_brackets(name):
    return f"({name})" if name else ""


def _figure(result, kind, content, caption):
    text = markdown2html(caption) if caption else ""
    plain = " ".join(re.sub(r"<[^>]+>", "", text).split())
    alt = html.escape(html.unescape(plain) or f"A figure of {result.title}", quote=True)
    if kind == "image/svg+xml":
        picture = content
    else:
        data = "".join(content.split())
        picture = f'<img alt="{alt}" loading="lazy" src="data:{kind};base64,{data}">'
    return f"<figure>\n<figcaption>{text}</figcaption>\n{picture}\n</figure>"
