"""Ensembles: each member computes and learns what it would alone."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from helpers.training import (
    Ensemble,
    ensemble_objective,
    fit,
    fit_gan,
    wasserstein_gradient_penalty,
)


class Small(nn.Module):
    """A dense network of two inputs, with a buffer."""

    def __init__(self, inputs, outputs, factor=1.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 8), nn.LeakyReLU(0.2), nn.Linear(8, outputs))
        self.register_buffer("factor", torch.tensor(factor))

    def forward(self, x, condition):
        return self.layers(torch.cat([x, condition], dim=-1)) * self.factor


def networks(k, inputs, outputs, seed=0):
    torch.manual_seed(seed)
    return [Small(inputs, outputs, 1.0 + number) for number in range(k)]


def test_members_compute_what_the_networks_do_and_can_be_taken_out():
    singles = networks(3, 5, 2)
    ensemble = Ensemble(singles)
    x = torch.randn(7, 3, 4)
    condition = torch.randn(7, 3, 1)
    together = ensemble(x, condition)
    assert together.shape == (7, 3, 2)
    for number, single in enumerate(singles):
        torch.testing.assert_close(together[:, number], single(x[:, number], condition[:, number]))
        torch.testing.assert_close(
            ensemble.member(number)(x[:, 0], condition[:, 0]), single(x[:, 0], condition[:, 0])
        )


def test_members_have_the_gradients_that_they_have_alone():
    critics = networks(3, 6, 1)
    points = torch.randn(9, 3, 5)
    condition = torch.randn(9, 3, 1)
    real = torch.randn(9, 3, 5)
    generated = torch.randn(9, 3, 5)

    def loss(objective, critic, *arrays):
        real, generated, points, condition = arrays
        value = objective.critic_loss(critic(real, condition), critic(generated, condition))
        return value + objective.penalty(critic, points.clone().requires_grad_(), condition)

    ensemble = Ensemble(critics)
    loss(ensemble_objective(3), ensemble, real, generated, points, condition).backward()
    alone = wasserstein_gradient_penalty()
    for number, critic in enumerate(critics):
        loss(
            alone, critic, *(array[:, number] for array in (real, generated, points, condition))
        ).backward()
        for own, together in zip(critic.parameters(), ensemble.weights, strict=True):
            torch.testing.assert_close(together.grad[number], own.grad, rtol=1e-4, atol=1e-6)


def test_a_game_of_an_ensemble_is_the_games_of_its_members():
    """With the same batches and the same noise, each member ends where it ends alone."""
    generators = networks(2, 4, 5)
    critics = networks(2, 6, 1, seed=1)
    rng = np.random.default_rng(0)
    real = rng.normal(size=(40, 5)).astype("f4")
    condition = rng.normal(size=(40, 1)).astype("f4")
    common = dict(
        steps=4, batch_size=10, critic_steps=2, learning_rate=1e-2, seed=3, progress=False
    )
    ensemble = Ensemble(generators), Ensemble(critics)

    def same_noise(size, random):
        return torch.randn(size, 1, 3, generator=random, device=random.device).expand(-1, 2, -1)

    pair = np.repeat(real[:, None], 2, axis=1), np.repeat(condition[:, None], 2, axis=1)
    fit_gan(*ensemble, pair, noise=same_noise, objective=ensemble_objective(2), **common)
    for number in range(2):
        alone = copy.deepcopy(generators[number])
        fit_gan(alone, copy.deepcopy(critics[number]), (real, condition), noise=3, **common)
        for own, together in zip(
            alone.parameters(), ensemble[0].member(number).parameters(), strict=True
        ):
            torch.testing.assert_close(together, own, rtol=1e-3, atol=1e-5)


def test_an_ensemble_goes_on_from_a_checkpoint(tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(30, 2, 3)).astype("f4")
    sets = ((x, x[..., :1]), x[..., :2])
    options = dict(loss=nn.functional.mse_loss, epochs=3, seed=1, progress=False)
    first = Ensemble(networks(2, 4, 2))
    fit(first, sets, checkpoint=tmp_path / "a.pt", **options)
    again = Ensemble(networks(2, 4, 2))
    history = fit(again, sets, checkpoint=tmp_path / "a.pt", **options)
    assert len(history) == 3 and "holds this very training, finished" in capsys.readouterr().out
    for one, other in zip(first.weights, again.weights, strict=True):
        assert torch.equal(one, other)
    with_more = Ensemble(networks(3, 4, 2))
    wider = (
        (np.repeat(x[:, :1], 3, axis=1), np.repeat(x[:, :1, :1], 3, axis=1)),
        np.repeat(x[:, :1, :2], 3, axis=1),
    )
    fit(with_more, wider, checkpoint=tmp_path / "a.pt", **options)
    assert (
        tmp_path / "a-before.pt"
    ).exists()  # another ensemble's checkpoint is moved aside, not used


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "found none"),
        ([nn.Linear(2, 3), nn.Linear(2, 4)], "another in number 1"),
        ([nn.Sequential(nn.Linear(2, 3), nn.Dropout())], "found Dropout"),
        ([nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))], "found BatchNorm1d"),
    ],
)
def test_what_cannot_be_an_ensemble_is_refused(members, reason):
    with pytest.raises(ValueError, match=reason):
        Ensemble(members)
