# Generated from solutions/01_spectra_gan.py by `make notebooks`, never edited.
"""The solved exercises of hack 01, which cells use until an attempt is correct."""

import numpy as np
import torch
from torch import nn


def to_rest_frame(wavelength, flux, error, redshift):
    """Return wavelength, flux and error per Å in the rest frame; arrays of shape (n_pix,) and a number."""
    return wavelength / (1 + redshift), flux * (1 + redshift), error * (1 + redshift)


def bin_flux(edges, flux, error, lower, upper):
    """Return mean flux and error in the bin lower..upper of pixels with edges, shape (n_pix + 1,)."""
    inside = np.clip(np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower), 0, None)
    share = inside / inside.sum()
    return (share * flux).sum(), np.sqrt((share**2 * error**2).sum())


class ChannelAttention(nn.Module):
    """Weigh the channels of features, shape (n, channels, length)."""

    def __init__(self, channels, ratio=8):
        super().__init__()
        hidden = max(channels // ratio, 1)
        self.network = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )

    def forward(self, x):
        weight = torch.sigmoid(self.network(x.mean(dim=2)) + self.network(x.amax(dim=2)))
        return x * weight[:, :, None]


def critic_loss(real_scores, generated_scores):
    """Return what the critic minimises, a scalar tensor."""
    return generated_scores.mean() - real_scores.mean()


def gradient_penalty(critic, points, condition, weight=10.0):
    """Return the penalty at points of shape (n, pixels), which have requires_grad; a scalar tensor."""
    (gradient,) = torch.autograd.grad(critic(points, condition).sum(), points, create_graph=True)
    return weight * ((gradient.norm(dim=1) - 1) ** 2).mean()


def r_value(correlation, peak):
    """Return r of Tonry & Davis (1979) of a correlation function, shape (n,), with its peak at this index."""
    reach = min(peak, len(correlation) - 1 - peak)
    beside = np.arange(1, reach + 1)
    antisymmetric = (correlation[peak + beside] - correlation[peak - beside]) / 2
    return correlation[peak] / (np.sqrt(2) * np.sqrt(np.mean(antisymmetric**2)))
