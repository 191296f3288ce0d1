"""The networks and data that are timed: a small one, a middle one and a GAN."""

import numpy as np
from torch import nn

from helpers.nn.dense import Dense
from helpers.subjects.rings import mock

PIXELS = 500  # of a spectrum
LATENTS = 16
CONDITIONS = 4


def ring_regressor():
    """The regressor of hack 06."""
    layers = [nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [
        nn.Conv2d(16, 32, 5, padding=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers, nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 5))


def rings(n, seed=0):
    """Ring images, shape (n, 1, 28, 28), and parameters in units of their spread, shape (n, 5)."""
    images, _, parameters = mock.simulate(n, seed, "regressor")
    parameters = parameters[:, 0]
    parameters = (parameters - parameters.mean(axis=0)) / parameters.std(axis=0)
    return images[:, None].astype(np.float32) / 255, parameters.astype(np.float32)


def map_network():
    """The network of a source of hack 05 for two-channel maps of 64 x 64: 4 450 194 parameters."""
    layers = []
    for inputs, outputs, size in ((2, 16, 64), (16, 32, 32), (32, 64, 16)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        layers += [nn.LayerNorm((outputs, size, size)), nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(64 * 8 * 8, 1024), nn.ReLU(), nn.Linear(1024, 2)
    )


def maps(n, seed=0):
    """Gaussian random fields in two channels, shape (n, 2, 64, 64), and what each was drawn with.

    The power falls as a power law of the wave number, and the two channels are correlated; the
    slope (1 to 3) and the correlation (-1 to 1) are drawn uniformly, and given in units of their
    spread, shape (n, 2).
    """
    rng = np.random.default_rng(seed)
    slope = rng.uniform(1, 3, n)
    correlation = rng.uniform(-1, 1, n)
    first, independent = rng.normal(size=(2, n, 64, 64))
    shared = correlation[:, None, None]
    second = shared * first + np.sqrt(1 - shared**2) * independent
    white = np.stack([first, second])
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None])
    frequency[0, 0] = np.inf  # so that there is no mean
    amplitude = frequency ** (-slope[:, None, None] / 2)
    fields = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=(64, 64))
    fields /= fields.std(axis=(2, 3), keepdims=True)
    targets = np.stack([slope - 2, correlation], axis=1) * np.sqrt(3)  # uniform: spread of 1/√3
    return fields.transpose(1, 0, 2, 3).astype(np.float32), targets.astype(np.float32)


def gan():
    """A generator and a critic of spectra with conditions."""
    generator = Dense(LATENTS + CONDITIONS, PIXELS)
    critic = Dense(PIXELS + CONDITIONS, 1)
    return generator, critic


def spectra(n, seed=0):
    """Numbers in the shape of spectra, (n, 500), and of their conditions, (n, 4)."""
    rng = np.random.default_rng(seed)
    flux = rng.normal(size=(n, PIXELS))
    conditions = rng.normal(size=(n, CONDITIONS))
    return flux.astype(np.float32), conditions.astype(np.float32)
