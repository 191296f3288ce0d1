"""Schematics are drawn from the network: its layers in their order, shapes and weights."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.plots.schematic import Layer, blocks, layers, schematic

IMAGES = np.zeros((2, 1, 8, 8), dtype=np.float32)


@pytest.fixture
def network():
    torch.manual_seed(0)
    convolution = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(convolution, nn.Flatten(), nn.Linear(64, 3))


def test_layers_are_listed_in_the_order_in_which_they_run(network):
    assert layers(network, IMAGES) == [
        Layer("Conv2d", (4, 8, 8), 40),
        Layer("ReLU", (4, 8, 8), 0),
        Layer("MaxPool2d", (4, 4, 4), 0),
        Layer("Flatten", (64,), 0),
        Layer("Linear", (3,), 195),
    ]


def test_the_network_is_left_as_it_was(network):
    network.train()
    random = torch.get_rng_state()
    schematic(network, IMAGES)
    assert network.training
    assert not any(part._forward_hooks for part in network.modules())
    assert torch.equal(torch.get_rng_state(), random)


def test_a_layer_that_runs_twice_and_one_that_never_runs():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 3)
            self.never = nn.Linear(3, 5)

        def forward(self, x, y):
            return self.one(self.one(x)) + y

    x = torch.zeros(2, 3)
    assert [layer.shape for layer in layers(Twice(), x, x)] == [(3,), (3,)]


def test_kinds_shapes_and_weights_are_written_in_the_figure(network):
    figure = schematic(network, IMAGES, title="a network")
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels == [
        "Conv2d\nReLU\n4 × 8 × 8\n40 weights",
        "MaxPool2d\n4 × 4 × 4",
        "Flatten\n64",
        "Linear\n3\n195 weights",
    ]
    assert figure.axes[0].get_title() == "a network"


def test_what_keeps_the_shape_joins_the_layer_before_unless_it_has_weights_of_its_own():
    kinds = [("Linear", 12), ("BatchNorm1d", 6), ("ReLU", 0), ("Linear", 12), ("Dropout", 0)]
    found = blocks([Layer(kind, (3,), weights) for kind, weights in kinds])
    assert [[layer.kind for layer in block] for block in found] == [
        ["Linear", "BatchNorm1d", "ReLU"],
        ["Linear", "Dropout"],
    ]


def test_keras_networks_are_drawn_too():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3), keras.layers.ReLU()])
    assert layers(model) == [Layer("Dense", (3,), 18), Layer("ReLU", (3,), 0)]
