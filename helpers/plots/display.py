"""How a notebook shows a figure: fine enough for a projector, and described in words."""

import io
import struct

from matplotlib.figure import Figure

SCALE = 2  # pixels of the picture for each pixel of the screen that it takes
MOCK = "MOCK"  # as `helpers.plots.style.panels` writes it
LONGEST = 300  # characters of a description


def show_figures(shell):
    """Let a notebook's shell show all figures by `picture`.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type(Figure, picture)


def picture(figure):
    """Return a figure as IPython shows it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    data : bytes
        A PNG file with `SCALE` times as many pixels as the figure is wide and high.
    metadata : dict
        Its width and height on the screen in pixels, and under "alt" what `describe` says of it.
    """
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=SCALE * figure.dpi, bbox_inches="tight")
    data = file.getvalue()
    width, height = struct.unpack(">II", data[16:24])  # of the header, PNG specification 11.2.2
    size = {"width": width // SCALE, "height": height // SCALE}
    return data, size | {"alt": describe(figure)}


def describe(figure):
    """Say in one line what a figure shows, from what is written in it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        Titles, axes and legend entries of each panel, then what is written beside the panels;
        "Simulated data." where it says MOCK.
    """
    panels = [_panel(axes) for axes in figure.axes]
    panels = list(dict.fromkeys(filter(None, panels)))  # an image grid may have many alike
    written = [text.get_text() for text in figure.texts]
    entries = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for texts in ([text for text in written if text != MOCK], entries):
        if any(texts):
            panels.append(", ".join(filter(None, texts)))
    said = ". ".join(panels) or "A figure"
    if len(said) > LONGEST:
        said = said[:LONGEST].rsplit(" ", 1)[0] + " …"
    return said + (". Simulated data." if MOCK in written else ".")


def _panel(axes):
    """Say what one panel shows; nothing where nothing is written."""
    quantity = axes.get_ylabel()
    against = axes.get_xlabel()
    drawn = f"{quantity} against {against}" if quantity and against else quantity or against
    legend = axes.get_legend()
    entries = [text.get_text() for text in legend.get_texts()] if legend else []
    parts = [axes.get_title(), drawn, ", ".join(entries)]
    return ": ".join(" ".join(part.split()) for part in parts if part)
