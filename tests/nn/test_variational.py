"""Parts of variational autoencoders against PyTorch's distributions and sums on a grid."""

import math

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as divergence

from helpers.nn.variational import kl_divergence, product_of_experts, reparametrise


@pytest.fixture
def gaussians():
    """Means and logarithms of variances, shape (100, 3)."""
    random = torch.Generator().manual_seed(1)
    mean = torch.randn(100, 3, generator=random)
    log_variance = torch.randn(100, 3, generator=random)
    return mean, log_variance


def test_divergence_is_that_of_the_distributions(gaussians):
    mean, log_variance = gaussians
    posterior = Normal(mean, torch.exp(log_variance / 2))
    expected = divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert kl_divergence(torch.zeros(4, 3), torch.zeros(4, 3)).tolist() == [0] * 4


def test_draws_have_mean_and_variance_and_gradients():
    mean = torch.tensor([[1.0, -2.0]]).repeat(100_000, 1).requires_grad_()
    log_variance = torch.tensor([[math.log(4.0), math.log(0.25)]]).repeat(100_000, 1)
    log_variance.requires_grad_()
    draws = reparametrise(mean, log_variance, torch.Generator().manual_seed(1))
    torch.testing.assert_close(draws.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(draws.std(dim=0), torch.tensor([2.0, 0.5]), atol=0, rtol=0.02)
    draws.sum().backward()
    assert torch.equal(mean.grad, torch.ones_like(mean))
    torch.testing.assert_close(log_variance.grad, (draws - mean).detach() / 2)


def test_draws_are_those_of_their_generator(gaussians):
    first, again = (reparametrise(*gaussians, torch.Generator().manual_seed(3)) for _ in range(2))
    other = reparametrise(*gaussians, torch.Generator().manual_seed(4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("experts", [1, 2, 4])
def test_product_is_that_of_the_densities_on_a_grid(experts):
    random = torch.Generator().manual_seed(2)
    means = torch.randn(experts, 5, 2, generator=random, dtype=torch.float64)
    log_variances = torch.randn(experts, 5, 2, generator=random, dtype=torch.float64)
    grid = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    log_density = Normal(0.0, 1.0).log_prob(grid)
    for mean, log_variance in zip(means, log_variances, strict=True):
        expert = Normal(mean[..., None], torch.exp(log_variance / 2)[..., None])
        log_density = log_density + expert.log_prob(grid)
    weights = torch.softmax(log_density, dim=-1)
    expected_mean = (weights * grid).sum(dim=-1)
    expected_variance = (weights * (grid - expected_mean[..., None]).square()).sum(dim=-1)
    mean, log_variance = product_of_experts(means, log_variances)
    torch.testing.assert_close(mean, expected_mean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(log_variance.exp(), expected_variance, atol=1e-6, rtol=1e-5)


def test_without_experts_the_prior_is_left():
    none = torch.zeros(0, 4, 2)
    mean, log_variance = product_of_experts(none, none)
    assert mean.tolist() == log_variance.tolist() == [[0, 0]] * 4
