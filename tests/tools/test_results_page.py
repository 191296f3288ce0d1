"""The page with the results and the executed notebooks beside it, which need no net."""

import base64
import re
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup

from helpers.scoreboard import Scoreboard
from tools.notebook_page import notebook_page, safe_markdown
from tools.results_page import CI, Figure, Result, figures, results_page

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ROW = {
    "what": "centre",
    "value": 0.25312,
    "error": 0.01,
    "unit": "px",
    "source": None,
    "baseline": 5.5,
    "baseline_name": "constant",
    "floor": 0.2,
    "floor_name": "pixels",
    "target": "≤ 0.3",
    "met": True,
}
POOR = ROW | {"what": "radius & more", "value": 0.9, "error": None, "baseline": None, "met": False}
CLAIM = {"claim": "wider is better", "found": "no", "verdict": "holds", "data": "MOCK"}
FREE = ROW | {"target": None, "met": None}
PICTURES = [
    Figure(1, "image/png", PIXEL, "1 Rings", "aa"),
    Figure(2, "image/svg+xml", "<svg/>", "1 Rings", "bb", described="A ring."),
    Figure(3, "image/png", PIXEL, "2 Ends", "cc", width=40),
]


def result(number="02", profile="demo", rows=(ROW, POOR, FREE), claims=(), **more):
    board = {"profile": profile, "device": "toaster", "seed": 7, "mock": True, "rows": list(rows)}
    board["claims"] = list(claims)
    settings = {"scoreboard": Scoreboard.from_json(board), "figures": PICTURES, **more}
    return Result(number, f"{number}_toy", f"Toy {number}", "How *wide*?", 1.5, profile, **settings)


def page(*results, waiting=(), profile="demo", facts=()):
    return BeautifulSoup(results_page(list(results), list(waiting), profile, facts), "html.parser")


def table(found):
    """Return the texts of a table, a list of a list for each row."""
    rows = [row.find_all(["th", "td"]) for row in found.find_all("tr")]
    return [[" ".join(cell.get_text().split()) for cell in row] for row in rows]


def test_an_overview_stands_on_top_in_order_of_the_numbers():
    waiting = [
        SimpleNamespace(number="03", title="Toy 03"),
        SimpleNamespace(number="01", title="Toy 01"),
    ]
    soup = page(
        result("05", error="no ring"), result("02"), waiting=waiting, facts=["today", "commit abc"]
    )
    assert table(soup.main.table) == [
        ["No.", "Hack", "Status", "Targets met", "Minutes", "All of it"],
        ["01", "Toy 01", "waits", "–", "–", "–"],
        ["02", "Toy 02", "done", "1 of 2", "1.5", "executed notebook"],
        ["03", "Toy 03", "runs now", "–", "–", "–"],
        ["05", "Toy 05", "failed", "1 of 2", "1.5", "executed notebook"],
    ]
    links = [link["href"] for link in soup.main.table.find_all("a")]
    assert links == ["#02_toy", "02_toy.html", "#05_toy", "05_toy.html"]
    assert soup.header.p.get_text() == "today · commit abc · profile demo · 3.0 min in all"
    assert "2 of 4 hacks have run. Now: Toy 03." in soup.main.p.get_text()
    assert [term.get_text() for term in soup.find_all("dt")] == [
        "Floor",
        "Ceiling",
        "Baseline",
        "Source",
    ]


def test_the_table_has_no_empty_column_and_does_not_break_numbers():
    found = page(result()).article.table
    assert table(found) == [
        ["What", "This run", "Floor", "Baseline", "Target", "Met"],
        ["centre", "0.253 ± 0.010 px", "0.2 (pixels)", "5.5 (constant)", "≤ 0.3", "✓ met"],
        ["radius & more", "0.9 px", "0.2 (pixels)", "", "≤ 0.3", "✗ not met"],
        ["centre", "0.253 ± 0.010 px", "0.2 (pixels)", "5.5 (constant)", "", ""],
    ]
    assert found.find("span", class_="number", string="0.253 ± 0.010 px")
    assert found.find("span", class_="bad", string="✗ not met")
    assert "Source" in table(page(result(rows=[ROW | {"source": 0.26}])).article.table)[0]


def test_at_ci_the_page_says_so_and_judges_nothing():
    soup = page(result(profile="ci"), profile="ci")
    text = soup.get_text()
    assert CI in text and "met" not in table(soup.article.table)[0]
    assert [row[-1] for row in table(soup.article.table)] == ["Target", "–", "–", ""]
    assert table(soup.main.table)[1][3] == "–"
    assert CI not in page(result()).get_text()


def test_notebook_and_page_show_the_same_table():
    made = result(rows=[ROW, POOR, FREE | {"floor": None, "ceiling": 0.9, "ceiling_name": "noise"}])
    notebook = BeautifulSoup(made.scoreboard.scores_table()._repr_html_(), "html.parser")
    assert table(notebook) == table(page(made).article.table)


def test_claims_of_all_hacks_are_collected_in_order():
    fails = CLAIM | {"claim": "deeper is better", "verdict": "does not hold here", "source": "A"}
    soup = page(result("05", claims=[CLAIM, fails]), result("01"), result("02", claims=[CLAIM]))
    section = soup.find("section", id="claims")
    assert section.h2.get_text() == "Claims of the sources, tested"
    assert section.p.get_text() == "holds: 2 · does not hold here: 1"
    assert table(section) == [
        ["Hack", "Claim", "Found here", "Data", "Verdict", "Source"],
        ["02", "wider is better", "no", "MOCK", "holds", ""],
        ["05", "wider is better", "no", "MOCK", "holds", ""],
        ["05", "deeper is better", "no", "MOCK", "does not hold here", "A"],
    ]
    assert section.find("span", class_="bad").get_text() == "does not hold here"
    assert page(result()).find("section", id="claims") is None


def test_figures_stand_under_their_section_and_are_described_once():
    soup = page(result())
    sections = soup.article.find_all("section")
    assert [section.h3.get_text() for section in sections] == ["1 Rings", "2 Ends"]
    images = soup.find_all("img")
    shown = ["Figure 1, of the section 1 Rings", "A ring.", "Figure 3, of the section 2 Ends"]
    assert [image["alt"] for image in images] == shown
    assert [image.get("width") for image in images] == [None, None, "40"]
    captions = [caption.get_text() for caption in soup.find_all("figcaption")]
    assert captions == [f"Figure {number} · in the notebook" for number in (1, 2, 3)]
    assert [caption.a["href"][-10:] for caption in soup.find_all("figcaption")] == [
        "cell-id=aa",
        "cell-id=bb",
        "cell-id=cc",
    ]
    # Pictures that load late are missing in print.
    assert not any(image.has_attr("loading") for image in images)


def test_nothing_that_a_hack_wrote_is_executed():
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    drawn = Figure(1, "image/svg+xml", "<svg><script>alert(1)</script></svg>", evil, "aa")
    broken = Figure(2, "image/png", '"><script>alert(1)</script>', "", 'a"b')
    rows = [ROW | {"what": evil, "source": evil}]
    claims = [CLAIM | {"claim": evil, "found": evil, "data": evil, "source": evil}]
    board = Scoreboard.from_json({"rows": rows, "claims": claims, "device": evil})
    pictures = [drawn, broken]
    made = Result("02", "02_toy", evil, evil, 1.0, "demo", board, pictures, evil, evil)
    soup = page(made, facts=[evil])
    assert not soup.find("script") and not soup.find(onerror=True)
    assert not [link for link in soup.find_all("a") if link["href"].startswith("javascript")]
    encoded = base64.b64encode(drawn.content.encode()).decode()
    assert soup.find("img")["src"] == f"data:image/svg+xml;base64,{encoded}"


def test_figures_of_each_kind_are_found_in_order_with_their_section():
    def outputs(*kinds):
        return [
            nbformat.v4.new_output("display_data", {kind: kind, "text/plain": "x"})
            for kind in kinds
        ]

    first = nbformat.v4.new_code_cell(
        "x", outputs=outputs("image/svg+xml", "image/png", "text/html")
    )
    second = nbformat.v4.new_code_cell("y", outputs=outputs("image/jpeg"))
    second.outputs[0].metadata["image/jpeg"] = {"width": 30, "alt": "A ring."}
    text = nbformat.v4.new_markdown_cell("# One\n\nLook at it.\n\n## Two *rings*\n\nThe end.")
    notebook = nbformat.v4.new_notebook(
        cells=[first, text, nbformat.v4.new_markdown_cell("More."), second]
    )
    plain = [Figure(1, "image/svg+xml", "image/svg+xml", "", first.id)]
    plain += [Figure(2, "image/png", "image/png", "", first.id)]
    described = Figure(3, "image/jpeg", "image/jpeg", "Two *rings*", second.id, 30, "A ring.")
    assert figures(notebook) == [*plain, described]


def test_an_executed_notebook_loads_nothing_from_the_net():
    badge = "[![Open in Colab](https://colab.example/badge.svg)](https://colab.example/run)"
    cells = [
        nbformat.v4.new_markdown_cell(
            f"# Toy\n\n{badge}\n\nAn angle $\\cos\\theta = 1/(n\\beta)$, and $$\\unknown{{x}}$$"
        ),
        nbformat.v4.new_code_cell("x"),
    ]
    soup = BeautifulSoup(
        notebook_page(nbformat.v4.new_notebook(cells=cells), "Toy rings"), "html.parser"
    )
    loaded = [
        tag.get("src") or tag.get("href")
        for tag in soup.find_all(["script", "img", "link", "iframe"])
    ]
    assert all(address is None or address.startswith("data:") for address in loaded)
    assert not re.search(r"import[ (].*https?:|url\(.?https?:", str(soup))
    assert soup.title.get_text() == "Toy rings"
    assert soup.find("a", href="https://colab.example/run").get_text() == "Open in Colab"
    (formula,) = soup.find_all("img")
    assert formula["alt"] == r"\cos\theta = 1/(n\beta)" and "vertical-align" in formula["style"]
    assert soup.find("code", string=r"\unknown{x}")


@pytest.mark.parametrize("text", ["a <b>bold</b> claim", "[x](javascript:alert(1))"])
def test_markdown_of_the_page_is_made_harmless(text):
    assert not re.search(r"<b>|javascript:", safe_markdown(text))
