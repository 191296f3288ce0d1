"""What variational autoencoders are made of; all distributions are Gaussian, without covariances.

Each is given by its mean and the logarithm of its variance, tensors of one shape.
"""

import torch


def reparametrise(mean, log_variance, random=None):
    """Draw from a Gaussian so that gradients reach its mean and variance.

    z = μ + σ ε with ε from the unit normal distribution (Kingma & Welling 2014, arXiv:1312.6114,
    sect. 2.4).

    Parameters
    ----------
    mean, log_variance : torch.Tensor, shape (n, latents)
    random : torch.Generator, optional
        On the device of the mean; else PyTorch's own.

    Returns
    -------
    torch.Tensor, shape (n, latents)
    """
    noise = torch.empty_like(mean).normal_(generator=random)
    return mean + torch.exp(0.5 * log_variance) * noise


def kl_divergence(mean, log_variance):
    """Kullback-Leibler divergence of each sample's Gaussian from the unit normal distribution.

    KL = ½ Σ (μ² + σ² - ln σ² - 1), the sum over the latents (Kingma & Welling 2014,
    arXiv:1312.6114, appendix B).

    Parameters
    ----------
    mean, log_variance : torch.Tensor, shape (n, latents)

    Returns
    -------
    torch.Tensor, shape (n,)
        In nat.
    """
    each = mean.square() + log_variance.exp() - log_variance - 1
    return 0.5 * each.sum(dim=-1)


def product_of_experts(means, log_variances):
    """Multiply Gaussians, one an expert, with the unit normal prior, which is one expert more.

    The product is a Gaussian whose precision is the sum of all precisions T, and whose mean is the
    mean of all means, weighted with T (Wu & Goodman 2018, arXiv:1802.05335, sect. 2.2). An expert
    that is not there is left out of the list; without any, the prior is left.

    Parameters
    ----------
    means, log_variances : torch.Tensor, shape (experts, n, latents)

    Returns
    -------
    mean, log_variance : torch.Tensor, shape (n, latents)
    """
    precisions = torch.exp(-log_variances)
    precision = 1 + precisions.sum(dim=0)  # 1 is the prior's, whose mean is 0
    mean = (means * precisions).sum(dim=0) / precision
    return mean, -torch.log(precision)
