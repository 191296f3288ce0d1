"""Sliders that redraw a figure, and a still figure in their place where nothing can be moved."""

import io
import os

WIDGET = "application/vnd.jupyter.widget-view+json"  # how Jupyter finds the widget of an output
WIDTH = "7em"  # of all names, so that equal positions of two sliders mean equal numbers


def sliders(draw, names, still, limits=(-2.5, 2.5)):
    """Let the reader move numbers and see what they do.

    Parameters
    ----------
    draw : callable
        ``draw(values)`` returns the figure for a list with one number a name.
    names : sequence of str
        One slider each; all start at 0.
    still : matplotlib.figure.Figure
        What is shown where there are no widgets: without ipywidgets, on a page that is only read (GitHub), and where
        the environment variable ``HACK_STATIC`` is 1, as it is when the course is executed by its own tools.
    limits : (float, float)
        Of all sliders.

    Returns
    -------
    Sliders
        To be the last expression of a cell.
    """
    return Sliders(
        still, None if os.environ.get("HACK_STATIC") == "1" else _box(draw, names, limits)
    )


class Sliders:
    """What a cell shows: widgets with a picture to fall back on.

    Attributes
    ----------
    still : matplotlib.figure.Figure
    box : ipywidgets.Widget or None
        Its first children are the sliders.
    """

    def __init__(self, still, box):
        self.still, self.box = still, box

    def _repr_mimebundle_(self, **_):
        picture = io.BytesIO()
        self.still.savefig(picture, format="png")
        bundle = {
            "image/png": picture.getvalue(),
            "text/plain": f"<{'Sliders' if self.box else 'Figure'}>",
        }
        if self.box is None:
            return bundle
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {WIDGET: view} | bundle


def _box(draw, names, limits):
    """Widgets, or None without ipywidgets."""
    try:
        import ipywidgets
        from IPython.display import display
    except ImportError:
        return None
    low, high = limits
    style = {"description_width": WIDTH}
    moved = [
        ipywidgets.FloatSlider(
            0, min=low, max=high, step=0.1, description=name, continuous_update=False, style=style
        )
        for name in names
    ]

    def show(**values):
        display(draw(list(values.values())))

    shown = ipywidgets.interactive_output(
        show, {f"x{number}": slider for number, slider in enumerate(moved)}
    )
    return ipywidgets.VBox([*moved, shown])
