"""The fully connected network: its layers, and inputs side by side."""

import pytest
import torch
from torch import nn

from helpers.nn.dense import Dense


@pytest.mark.parametrize("hidden", [(), (7,), (5, 3), (4, 4, 4)])
def test_layers_are_those_asked_for(hidden):
    network = Dense(6, 2, hidden)
    linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [*hidden, 2]
    assert [layer.in_features for layer in linear] == [6, *hidden]
    assert len(network.layers) == 2 * len(hidden) + 1
    assert network(torch.ones(9, 6)).shape == (9, 2)
    assert network(torch.ones(9, 4, 6)).shape == (9, 4, 2)


def test_it_computes_what_its_weights_say():
    network = Dense(2, 1, (2,))
    first, activation, last = network.layers
    first.weight.data = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    last.weight.data = torch.tensor([[3.0, 5.0]])
    for layer in (first, last):
        nn.init.zeros_(layer.bias)
    value = network(torch.tensor([[2.0]]), torch.tensor([[4.0]]))
    assert value.item() == pytest.approx(3 * 2 + 5 * 0.2 * -4)


def test_several_inputs_stand_side_by_side():
    network = Dense(5, 3, (8,))
    x = torch.randn(7, 5)
    assert torch.equal(network(x[:, :2], x[:, 2:3], x[:, 3:]), network(x))
