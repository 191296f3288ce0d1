"""The networks that the source measures rings with; a network that a notebook teaches stands there."""

from torch import nn


def convolutional(n_targets):
    """Return two convolutions and two dense layers.

    Parameters
    ----------
    n_targets : int

    Returns
    -------
    torch.nn.Sequential
        Of images (n, 1, 28, 28), to numbers (n, n_targets).
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 16, 14, 14)
        nn.Conv2d(16, 32, 5, padding=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (n, 32, 7, 7)
        nn.Flatten(),
        nn.Linear(32 * 49, 128),
        nn.ReLU(),
        nn.Linear(128, n_targets),
    )


def fully_connected(n_targets):
    """Return four dense layers; for six targets they have 566 918 weights, as the source's.

    Parameters
    ----------
    n_targets : int

    Returns
    -------
    torch.nn.Sequential
        Of images (n, 1, 28, 28), to numbers (n, n_targets).
    """
    return nn.Sequential(
        nn.Flatten(),  # (n, 784)
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Linear(512, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, n_targets),
    )
