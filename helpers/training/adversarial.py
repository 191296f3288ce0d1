"""`fit_gan`: a generator and a critic trained against each other, with everything around it."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from helpers.training.batches import Samples
from helpers.training.devices import default_fabric
from helpers.training.failures import TrainingError, at_least_one, explained, try_out
from helpers.training.fingerprints import describe_code
from helpers.training.loop import Game, play
from helpers.training.objectives import Objective, wasserstein_gradient_penalty


def gaussian(n, random, size):
    """Draw `n` latent vectors from the unit normal distribution, on the device of the generator."""
    return torch.randn(n, size, generator=random, device=random.device)


@dataclass(frozen=True)
class Options:
    """The settings of `fit_gan` that are not those of every game; each counts for a checkpoint.

    Attributes
    ----------
    noise : callable
        ``noise(n, random)``.
    learning_rates : tuple of two floats
        Of the generator and of the critic.
    objective, critic_steps, betas, ema, augment, snapshots, callback, channels_last
        As in `fit_gan`.
    """

    noise: Callable
    objective: Objective
    critic_steps: int
    learning_rates: tuple
    betas: tuple
    ema: float | None
    augment: Callable | None
    snapshots: bool
    callback: Callable | None
    channels_last: bool


def fit_gan(
    generator,
    critic,
    train,
    *,
    noise,
    steps,
    objective=None,
    batch_size=64,
    critic_steps=5,
    learning_rate=1e-4,
    betas=(0.0, 0.9),
    ema=None,
    augment=None,
    every=None,
    snapshots=False,
    callback=None,
    channels_last=False,
    checkpoint=None,
    seed=0,
    fabric=None,
    progress=True,
):
    """Train a generative adversarial network.

    Parameters
    ----------
    generator : torch.nn.Module
        ``generator(noise, *conditions)`` gives samples. Changed in place, and left on the device.
    critic : torch.nn.Module
        ``critic(samples, *conditions)`` gives a score a sample.
    train : array or tuple of arrays
        Real samples, and their conditions if there are any; as in `fit`.
    noise : int or callable
        Size of the latent vector, drawn from a unit normal distribution; or ``noise(n, random)``,
        which draws n of them with a `torch.Generator` on its device.
    steps : int
        Steps of the generator.
    objective : Objective, optional
        By default `wasserstein_gradient_penalty`.
    batch_size : int
    critic_steps : int
        Steps of the critic before each one of the generator.
    learning_rate : float or tuple of two
        Of Adam; of the generator and of the critic, if there are two.
    betas : tuple of two floats
        Of Adam; the default is that of Gulrajani et al. (2017), arXiv:1704.00028, without momentum.
    ema : float, optional
        End with the exponential moving average of the generator's weights, with this decay a step
        (Yazıcı et al. 2019, arXiv:1806.04498).
    augment : callable, optional
        ``augment(samples, random)`` changes real and generated samples alike before the critic sees
        them, and must be differentiable (Zhao et al. 2020, arXiv:2006.10738).
    every : int, optional
        Steps between two entries of the history; a fiftieth of all where it is not given.
    snapshots : bool
        Keep the generator's weights at each entry, in ``history.snapshots``, to choose one by a
        metric later. Beside a checkpoint, they lie in files.
    callback : callable, optional
        ``callback(generator, step)`` is called at each entry, with the generator (its average, if
        there is one) in evaluation mode; a dictionary of numbers that it returns goes to
        ``history.metrics``. It has random numbers of its own, so that it changes nothing.
    channels_last, checkpoint, seed, fabric, progress
        As in `fit`.

    Returns
    -------
    History
        With the curves "critic" and "generator".

    Raises
    ------
    ValueError, TrainingError, TrainingInterrupted
        As `fit` does.
    """
    at_least_one(critic_steps=critic_steps)
    fabric = fabric or default_fabric()
    rates = learning_rate if isinstance(learning_rate, tuple) else (learning_rate, learning_rate)
    options = Options(
        noise=partial(gaussian, size=noise) if isinstance(noise, Integral) else noise,
        objective=objective or wasserstein_gradient_penalty(),
        critic_steps=critic_steps,
        learning_rates=rates,
        betas=tuple(map(float, betas)),
        ema=ema,
        augment=augment,
        snapshots=snapshots,
        callback=callback,
        channels_last=channels_last,
    )
    generator.to(fabric.device)
    critic.to(fabric.device)
    with explained(batch_size):
        data = Samples(train, fabric.device, channels_last)
    _try_out(generator, critic, data.tensors(slice(0, 2)), options.noise)
    if channels_last:
        generator.to(memory_format=torch.channels_last)
        critic.to(memory_format=torch.channels_last)
    return play(
        Adversarial(generator, critic, options, fabric),
        data,
        steps=steps,
        every=every,
        batch_size=batch_size,
        checkpoint=checkpoint,
        seed=seed,
        fabric=fabric,
        progress=progress,
    )


def _try_out(generator, critic, batch, noise):
    """See whether generator, critic and samples fit together."""
    real, *conditions = batch
    if not real.is_floating_point():
        raise TrainingError(
            f"expected samples with decimals, found {real.dtype}: convert them to float32"
        )
    latent = noise(len(real), torch.Generator(real.device).manual_seed(0))
    generated = try_out(generator, (latent, *conditions))
    if not torch.is_tensor(generated) or generated.shape != real.shape:
        found = type(generated).__name__
        if torch.is_tensor(generated):
            found = tuple(generated.shape[1:])
        raise TrainingError(
            f"expected the generator to make samples of shape {tuple(real.shape[1:])}, found "
            f"{found}: change its last layer, or the shape of the training data"
        )
    try_out(critic, (real, *conditions))


class Adversarial(Game):
    """The game of `fit_gan`: some steps of the critic, then one of the generator.

    Parameters
    ----------
    generator, critic : torch.nn.Module
    options : Options
    fabric : lightning_fabric.Fabric
    """

    several_processes = True

    def __init__(self, generator, critic, options, fabric):
        self.options = options
        self.fabric = fabric
        self.batches_a_step = options.critic_steps
        self.generator = generator
        self.critic = critic
        self.networks = {"generator": generator, "critic": critic}
        for_generator, for_critic = (
            torch.optim.Adam(network.parameters(), rate, options.betas, fused=True)
            for network, rate in zip((generator, critic), options.learning_rates, strict=True)
        )
        self.parts = {"generator_optimiser": for_generator, "critic_optimiser": for_critic}
        self.average = None
        self.final = generator
        if options.ema is not None:
            mean = get_ema_multi_avg_fn(options.ema)
            self.average = AveragedModel(generator, multi_avg_fn=mean)
            self.final = self.average.module
            self.parts["average"] = self.average
        self.learned = [weight for weight in critic.parameters() if weight.requires_grad]
        self.wrapped_generator, self.generator_optimiser = fabric.setup(generator, for_generator)
        self.wrapped_critic, self.critic_optimiser = fabric.setup(critic, for_critic)
        if fabric.world_size == 1:  # nothing to synchronise: spare the wrapper's time in each step
            self.wrapped_generator = generator
            self.wrapped_critic = critic

    def step(self, *batches):
        """Make some steps of the critic, and one of the generator."""
        for batch in batches:
            critic_loss = self.critic_step(batch)
        generator_loss = self.generator_step(batches[-1])
        return {"critic": critic_loss, "generator": generator_loss}

    def critic_step(self, batch):
        """Make the critic's loss smaller, and return it without the penalty."""
        objective = self.options.objective
        real, *conditions = batch
        with torch.no_grad(), self.fabric.autocast():
            noise = batch.noise(self.options.noise)
            generated = self.generator(noise, *conditions).to(real.dtype)
        real = self._augmented(real, batch)
        generated = self._augmented(generated, batch)
        with self.fabric.autocast():
            of_real = self.wrapped_critic(real, *conditions)
            of_generated = self.wrapped_critic(generated, *conditions)
        loss = objective.critic_loss(of_real.float(), of_generated.float())
        whole = loss
        if objective.penalty:
            place = batch.noise(partial(_places, axes=real.ndim))
            points = torch.lerp(real, generated, place).requires_grad_()
            whole = loss + objective.penalty(self.critic, points, *conditions)
        self._learn(self.critic_optimiser, batch.weighted(whole))
        if objective.clip:
            with torch.no_grad():
                torch._foreach_clamp_min_(self.learned, -objective.clip)
                torch._foreach_clamp_max_(self.learned, objective.clip)
        return batch.weighted(loss.detach())

    def generator_step(self, batch):
        """Make the generator's loss smaller, and return it."""
        _, *conditions = batch
        with self._critic_held():
            with self.fabric.autocast():
                noise = batch.noise(self.options.noise)
                generated = self.wrapped_generator(noise, *conditions)
                generated = self._augmented(generated, batch)
                scores = self.critic(generated, *conditions)
            loss = self.options.objective.generator_loss(scores.float())
            loss = batch.weighted(loss)
            self._learn(self.generator_optimiser, loss)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        return loss

    @contextmanager
    def _critic_held(self):
        """Spare the gradients of the critic's weights."""
        for weight in self.learned:
            weight.requires_grad_(False)
        try:
            yield
        finally:
            for weight in self.learned:
                weight.requires_grad_(True)

    def _augmented(self, samples, batch):
        augment = self.options.augment
        return augment(samples, batch.random) if augment else samples

    def _learn(self, optimiser, loss):
        self.fabric.backward(loss)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    def at_entry(self, history):
        """Keep a snapshot, and call the callback, if they are asked for."""
        step = history.steps[-1]
        if self.options.snapshots:
            weights = self.final.state_dict()
            copies = {name: value.cpu().clone() for name, value in weights.items()}
            history.snapshots[step] = copies
        if self.options.callback:
            measured = self.options.callback(self.final.eval(), step)
            history.add_metrics(measured or {})

    def at_end(self, history):
        """End with the average of the generator's weights, if there is one."""
        self.generator.load_state_dict(self.final.state_dict())

    def settings(self):
        """Return the options: all else is made from them."""
        callback = self.options.callback
        code = callback and describe_code(callback)  # what it gathers is no setting
        return vars(self.options) | {"callback": code}


def _places(size, random, axes):
    """A place on the way from a real to a generated sample for each of them, in [0, 1)."""
    return torch.rand(size, *[1] * (axes - 1), generator=random, device=random.device)
