"""Sliders that redraw a figure, and a still figure in their place where nothing can be moved."""

import os

from helpers.plots.display import picture

WIDGET = "application/vnd.jupyter.widget-view+json"  # how Jupyter finds the widget of an output
STEP = 0.1
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
        What is shown where there are no widgets: without ipywidgets, on a page that is only read
        (GitHub), and where the environment variable ``HACK_STATIC`` is 1, as it is when the course
        is executed by its own tools.
    limits : (float, float)
        Of all sliders.

    Returns
    -------
    Sliders
        To be the last expression of a cell.
    """
    if os.environ.get("HACK_STATIC") == "1":
        return Sliders(still)
    return Sliders(still, _box(draw, names, limits))


class Sliders:
    """What a cell shows: widgets with a picture to fall back on.

    Attributes
    ----------
    still : matplotlib.figure.Figure
    box : ipywidgets.Widget or None
        Its first children are the sliders.
    """

    def __init__(self, still, box=None):
        self.still = still
        self.box = box

    def _repr_mimebundle_(self, **_):
        image, metadata = picture(self.still)
        shown = {"image/png": image, "text/plain": "<Figure>"}
        if self.box is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
            shown |= {WIDGET: view, "text/plain": "<Sliders>"}
        return shown, {"image/png": metadata}


def _box(draw, names, limits):
    """Widgets, or None without ipywidgets."""
    try:
        import ipywidgets
        from IPython.display import display
    except ImportError:
        return None
    low, high = limits
    style = {"description_width": WIDTH}
    options = {"min": low, "max": high, "step": STEP, "continuous_update": False, "style": style}
    moved = [ipywidgets.FloatSlider(0, description=name, **options) for name in names]

    def show(**values):
        display(draw(list(values.values())))

    numbered = {f"x{number}": slider for number, slider in enumerate(moved)}
    shown = ipywidgets.interactive_output(show, numbered)
    return ipywidgets.VBox([*moved, shown])
