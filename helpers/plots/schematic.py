"""What a network is made of, drawn from the network itself."""

from dataclasses import dataclass

import numpy as np

from helpers.plots.style import panels

HEIGHT = 3.0  # of the figure, in inches
WIDTH = 1.4  # of one block, in inches
COLOURS = {  # by the beginning of a layer's name
    "Conv": "tab:blue",
    "Linear": "tab:green",
    "Dense": "tab:green",
    "MaxPool": "tab:orange",
    "AvgPool": "tab:orange",
}
OTHERS = "lightgrey"


@dataclass(frozen=True)
class Layer:
    """One layer of a network: its kind, the shape of what it gives for one sample, its weights."""

    kind: str
    shape: tuple
    weights: int


def layers(network, *inputs):
    """Return the layers of a network in the order in which they run.

    Parameters
    ----------
    network : torch.nn.Module or keras.Model
        Of a Keras model the layers are those that it lists, and it must have been built.
    *inputs : array or tensor
        What a PyTorch network is called with, one row a sample: two rows are enough.

    Returns
    -------
    list of Layer
    """
    return _of_torch(network, inputs) if hasattr(network, "named_modules") else _of_keras(network)


def _of_torch(network, inputs):
    import torch  # not everybody who draws a figure has a network

    found = []

    def note(layer, _, output):
        first = output[0] if isinstance(output, tuple) else output
        weights = sum(weight.numel() for weight in layer.parameters())
        found.append(Layer(type(layer).__name__, tuple(first.shape[1:]), weights))

    leaves = [part for part in network.modules() if not list(part.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    device = next((weight.device for weight in network.parameters()), torch.device("cpu"))
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(*(torch.as_tensor(array, device=device) for array in inputs))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return found


def _of_keras(network):
    return [
        Layer(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in network.layers
    ]


def blocks(found):
    """Group layers: one that only acts on each number, or normalises them, joins the one before.

    Parameters
    ----------
    found : list of Layer

    Returns
    -------
    list of list of Layer
    """
    groups = []
    for layer in found:
        small = layer.weights == 0 or "Norm" in layer.kind
        joins = groups and small and layer.shape == groups[-1][-1].shape
        if joins:
            groups[-1].append(layer)
        else:
            groups.append([layer])
    return groups


def schematic(network, *inputs, title=None):
    """Draw the layers of a network in the order in which they run, grouped by `blocks`.

    The height of a block stands for how many numbers it gives for one sample, on a logarithmic
    scale; below it stand its layers, the shape of these numbers, and how many weights it has.

    Parameters
    ----------
    network : torch.nn.Module or keras.Model
    *inputs : array or tensor
        As `layers` takes them.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    drawn = blocks(layers(network, *inputs))
    sizes = np.array([max(np.prod(block[0].shape), 1) for block in drawn])
    heights = 0.15 + 0.85 * np.log(sizes) / max(np.log(sizes.max()), 1)
    figure, axis = panels(mock=False, size=(max(WIDTH * len(drawn), 3), HEIGHT))
    axis.set(xlim=(-0.6, len(drawn) - 0.4), ylim=(-1.4, 0.6), title=title or "")
    axis.set_axis_off()
    for place, (block, height) in enumerate(zip(drawn, heights, strict=True)):
        colours = [colour for name, colour in COLOURS.items() if block[0].kind.startswith(name)]
        colour = colours[0] if colours else OTHERS
        axis.bar(place, height, 0.5, bottom=-height / 2, color=colour, alpha=0.6)
        axis.text(place, -0.56, _label(block), ha="center", va="top", fontsize=10)
    return figure


def _label(block):
    shape = " × ".join(map(str, block[0].shape)) or "1"
    weights = sum(layer.weights for layer in block)
    lines = [layer.kind for layer in block] + [shape]
    if weights:
        lines.append(f"{weights:,}".replace(",", " ") + " weights")
    return "\n".join(lines)
