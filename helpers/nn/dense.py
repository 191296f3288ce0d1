"""The fully connected network of the course."""

import torch
from torch import nn

SLOPE = 0.2  # of LeakyReLU below zero, as in DCGAN (Radford et al. 2015, arXiv:1511.06434)


class Dense(nn.Module):
    """A fully connected network, which takes its inputs side by side.

    Parameters
    ----------
    inputs, outputs : int
        Numbers a sample; of several inputs, all of them together.
    hidden : tuple of int
        Units of each hidden layer; each is followed by LeakyReLU (Maas et al. 2013, ICML workshop).

    Attributes
    ----------
    layers : torch.nn.Sequential
    """

    def __init__(self, inputs, outputs, hidden=(256, 256)):
        super().__init__()
        layers = []
        for units in hidden:
            layers += [nn.Linear(inputs, units), nn.LeakyReLU(SLOPE)]
            inputs = units
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def forward(self, *inputs):
        """Apply the network to tensors of shape (..., k), one or several; the k add up to `inputs`.

        Returns
        -------
        torch.Tensor, shape (..., outputs)
        """
        return self.layers(torch.cat(inputs, dim=-1))
