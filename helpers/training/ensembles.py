"""Several small networks of one shape trained as one, for scans over seeds and settings.

A small network keeps a processor busy with everything but its arithmetic; k of them in one batch of
matrices share that. Each member has its own weights, data and random numbers, and learns as it
would alone.

>>> generators = Ensemble([Generator(8) for _ in range(21)])
>>> critics = Ensemble([Critic() for _ in range(21)])
>>> objective = ensemble_objective(21)
>>> fit_gan(generators, critics, samples, noise=noise, steps=400, objective=objective)
>>> generators.member(3)
"""

import copy
from functools import partial

import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from helpers.training.objectives import (
    Objective,
    gradient_penalty,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)

REFUSED = nn.modules.dropout._DropoutNd | nn.modules.batchnorm._NormBase


class Ensemble(nn.Module):
    """Networks of one shape as one: inputs and outputs have a second axis, one entry a member.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        With the same layers; weights and buffers may differ. Without dropout and batch
        normalisation, whose random numbers and running statistics members cannot have of their own
        here.

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
        first = _shapes(networks[0])
        for number, network in enumerate(networks):
            if _shapes(network) != first:
                raise ValueError(
                    f"expected networks of one shape, found another in number {number}: make one "
                    "ensemble each"
                )
        for part in networks[0].modules():
            if isinstance(part, REFUSED):
                raise ValueError(
                    "expected networks without dropout and batch normalisation, found "
                    f"{type(part).__name__}: leave it out"
                )
        weights, buffers = stack_module_state(networks)
        self.members = len(networks)
        self._names = list(weights)
        self._buffer_names = list(buffers)
        own = [nn.Parameter(weight.detach()) for weight in weights.values()]
        self.weights = nn.ParameterList(own)
        for number, buffer in enumerate(buffers.values()):
            self.register_buffer(f"buffer{number}", buffer.detach())
        template = copy.deepcopy(networks[0])
        self._template = [template]  # in a list: its weights are not this network's

    def _state(self):
        state = dict(zip(self._names, self.weights, strict=True))
        for number, name in enumerate(self._buffer_names):
            state[name] = getattr(self, f"buffer{number}")
        return state

    def forward(self, *inputs):
        """Apply each member to its own inputs: shapes (n, k, ...) give a shape (n, k, ...)."""

        def one(state, *own):
            return functional_call(self._template[0], state, own)

        axes = (0, *[1] * len(inputs))  # of the weights, and of each input
        every_one = torch.vmap(one, in_dims=axes, out_dims=1)
        return every_one(self._state(), *inputs)

    def member(self, number):
        """Return one of the networks, with a copy of its weights, on the CPU."""
        network = copy.deepcopy(self._template[0])
        own = {name: value[number].detach().cpu() for name, value in self._state().items()}
        network.load_state_dict(own)
        return network.eval()

    def extra_repr(self):
        """Say what the members are."""
        return f"{self.members} of {self._template[0]}"


def _shapes(network):
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


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

    penalty = partial(gradient_penalty, weight=members * weight, leading=2)
    return Objective(critic_loss, generator_loss, penalty)
