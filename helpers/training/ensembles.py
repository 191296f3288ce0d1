"""Several small networks of one shape trained as one, for scans over seeds and settings.

A small network keeps a processor busy with everything but its arithmetic; k of them in one batch of matrices share
that. Each member has its own weights, data and random numbers, and learns as it would alone.

>>> generators = Ensemble([Generator(8) for _ in range(21)])
>>> critics = Ensemble([Critic() for _ in range(21)])
>>> fit_gan(generators, critics, samples, noise=noise, steps=400, objective=ensemble_objective(21))
>>> generators.member(3)
"""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from helpers.training.objectives import (
    Objective,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)


class Ensemble(nn.Module):
    """Networks of one shape as one network: inputs and outputs have a second axis, one entry a member.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        With the same layers; weights and buffers may differ. Without dropout and batch normalisation, whose random
        numbers and running statistics members cannot have of their own here.

    Raises
    ------
    ValueError
        If there are no networks, their weights differ in name or shape, or they have such layers.
    """

    def __init__(self, networks):
        super().__init__()
        networks = list(networks)
        if not networks:
            raise ValueError("expected at least one network, found none")
        shapes = [
            {name: tuple(w.shape) for name, w in network.state_dict().items()}
            for network in networks
        ]
        if odd := [i for i, shape in enumerate(shapes) if shape != shapes[0]]:
            raise ValueError(
                f"expected networks of one shape, found another in number {odd[0]}: make one ensemble each"
            )
        refused = nn.modules.dropout._DropoutNd | nn.modules.batchnorm._NormBase
        if layers := [
            type(part).__name__ for part in networks[0].modules() if isinstance(part, refused)
        ]:
            raise ValueError(
                f"expected networks without dropout and batch normalisation, found {layers[0]}: leave it out"
            )
        weights, buffers = stack_module_state(networks)
        self.members = len(networks)
        self._names, self._buffer_names = list(weights), list(buffers)
        self.weights = nn.ParameterList(
            [nn.Parameter(weight.detach()) for weight in weights.values()]
        )
        for number, buffer in enumerate(buffers.values()):
            self.register_buffer(f"buffer{number}", buffer.detach())
        self._template = [
            copy.deepcopy(networks[0])
        ]  # in a list: its weights are not this network's

    def _state(self):
        buffers = (getattr(self, f"buffer{number}") for number in range(len(self._buffer_names)))
        return dict(zip(self._names, self.weights, strict=True)) | dict(
            zip(self._buffer_names, buffers, strict=True)
        )

    def forward(self, *inputs):
        """Apply each member to its own inputs: tensors of shape (n, k, ...) give one of shape (n, k, ...)."""

        def one(state, *own):
            return functional_call(self._template[0], state, own)

        return torch.vmap(one, in_dims=(0, *[1] * len(inputs)), out_dims=1)(self._state(), *inputs)

    def member(self, number):
        """Return one of the networks, with a copy of its weights, on the CPU."""
        network = copy.deepcopy(self._template[0])
        network.load_state_dict(
            {name: value[number].detach().cpu() for name, value in self._state().items()}
        )
        return network.eval()

    def extra_repr(self):
        """Say what the members are."""
        return f"{self.members} of {self._template[0]}"


def ensemble_objective(members, weight=10.0):
    """Wasserstein objective with gradient penalty, for an ensemble: each member's loss is its own.

    Parameters
    ----------
    members : int
    weight : float
        As in `helpers.training.objectives.gradient_penalty`.

    Returns
    -------
    Objective
        Losses are sums over the members, so that none learns slower for the company.
    """

    def critic_loss(real, generated):
        return members * wasserstein_critic_loss(real, generated)

    def generator_loss(generated):
        return members * wasserstein_generator_loss(generated)

    def penalty(critic, points, *conditions):
        (gradient,) = torch.autograd.grad(
            critic(points, *conditions).sum(), points, create_graph=True
        )
        return members * weight * (gradient.flatten(2).norm(dim=2) - 1).square().mean()

    return Objective(critic_loss, generator_loss, penalty)
