"""An executed notebook as one HTML file that can be read offline."""

import base64
import io
from html import escape

from markupsafe import Markup
from matplotlib.mathtext import math_to_image
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# nbconvert's page without what it would load from the net.
TEMPLATE = """\
{% extends "lab/index.html.j2" %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
"""


class OfflineRenderer(IPythonRenderer):
    """Formulas are drawn by Matplotlib; for pictures from the net stands their text."""

    def inline_math(self, body):
        """Return a formula in a line."""
        try:
            return _formula(body)
        except ValueError:
            # TeX that Matplotlib does not know is shown as it was written.
            return f"<code>{escape(body)}</code>"

    def block_math(self, body):
        """Return a formula of its own."""
        return f"<p>{self.inline_math(body.strip())}</p>"

    def image(self, text, url, title=None):
        """Return a picture, or its text where it would be loaded from the net."""
        remote = url.startswith(("http:", "https:", "//"))
        return text if remote else super().image(text, url, title)


def _formula(body):
    picture = io.BytesIO()
    depth = math_to_image(f"${body}$", picture, format="svg")
    data = base64.b64encode(picture.getvalue()).decode()
    style = f"vertical-align: {-depth:.1f}pt"
    return f'<img alt="{escape(body)}" style="{style}" src="data:image/svg+xml;base64,{data}">'


def _markdown(text, **options):
    renderer = OfflineRenderer(exclude_anchor_links=True, **options)
    return MarkdownWithMath(renderer=renderer).render(text)


def safe_markdown(text):
    """Return Markdown as HTML in which neither tags nor addresses can run a script."""
    return Markup(_markdown(text, escape=True, allow_harmful_protocols=False))


def notebook_page(notebook, title):
    """Return an executed notebook as HTML that needs no other file.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    title : str

    Returns
    -------
    str
    """
    exporter = HTMLExporter(raw_template=TEMPLATE)
    exporter.register_filter("markdown2html", lambda text: _markdown(text, escape=False))
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return page
