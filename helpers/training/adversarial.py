"""`fit_gan`: a generator and a critic trained against each other, with everything around it."""

import time
from functools import partial
from numbers import Integral

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from helpers.training import checkpoints
from helpers.training.batches import Samples
from helpers.training.devices import default_fabric
from helpers.training.failures import (
    TrainingError,
    check_finite,
    check_processes,
    explained,
    try_out,
)
from helpers.training.fingerprints import describe_code
from helpers.training.history import History
from helpers.training.objectives import wasserstein_gradient_penalty
from helpers.training.session import Session
from helpers.training.state import State


def gaussian(n, random, size):
    """Draw `n` latent vectors from the unit normal distribution, on the device of the generator."""
    return torch.randn(n, size, generator=random, device=random.device)


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
        Size of the latent vector, drawn from a unit normal distribution; or ``noise(n, random)``, which draws n
        of them with a `torch.Generator` on its device.
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
        End with the exponential moving average of the generator's weights, with this decay a step (Yazıcı et al.
        2019, arXiv:1806.04498).
    augment : callable, optional
        ``augment(samples, random)`` changes real and generated samples alike before the critic sees them, and must
        be differentiable (Zhao et al. 2020, arXiv:2006.10738).
    every : int, optional
        Steps between two entries of the history; a fiftieth of all where it is not given.
    snapshots : bool
        Keep the generator's weights at each entry, in ``history.snapshots``, to choose one by a metric later. Beside
        a checkpoint, they lie in files.
    callback : callable, optional
        ``callback(generator, step)`` is called at each entry, with the generator (its average, if there is one) in
        evaluation mode; a dictionary of numbers that it returns goes to ``history.metrics``. It has random
        numbers of its own, so that it changes nothing.
    channels_last, checkpoint, seed, fabric, progress
        As in `fit`.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TrainingError, TrainingInterrupted
        As `fit` does.
    """
    torch.set_grad_enabled(True)  # as in `fit`
    if min(batch_size, critic_steps, steps) < 1:
        raise ValueError(
            f"expected batch_size, critic_steps and steps of at least 1, found {batch_size}, {critic_steps}, {steps}"
        )
    fabric = fabric or default_fabric()
    check_processes(fabric, batch_size)
    objective = objective or wasserstein_gradient_penalty()
    every = every or max(steps // 50, 1)
    noise = partial(gaussian, size=noise) if isinstance(noise, Integral) else noise
    rates = learning_rate if isinstance(learning_rate, tuple) else (learning_rate, learning_rate)
    settings = dict(
        noise=noise,
        steps=steps,
        objective=vars(objective),
        batch_size=batch_size,
        every=every,
        seed=seed,
    )
    settings |= dict(
        critic_steps=critic_steps, learning_rate=rates, betas=betas, ema=ema, augment=augment
    )
    settings |= dict(channels_last=channels_last, precision=fabric.strategy.precision.precision)
    settings |= dict(processes=fabric.world_size, snapshots=snapshots)
    settings |= dict(callback=callback and describe_code(callback))  # what it gathers is no setting
    networks = {"generator": generator.to(fabric.device), "critic": critic.to(fabric.device)}
    with explained(batch_size):
        data = Samples(train, fabric.device, channels_last)
    keeper = checkpoints.Keeper(checkpoint, networks, [data], settings, fabric)
    _try_out(generator, critic, data.tensors(slice(0, 2)), noise)
    if channels_last:
        (
            generator.to(memory_format=torch.channels_last),
            critic.to(memory_format=torch.channels_last),
        )
    game = _Game(generator, critic, objective, noise, augment, fabric, rates, betas, ema)
    history = History()
    state = game.state = State(fabric, seed, history, networks, game.others)
    state.values = {"losses": torch.zeros(2, every, device=fabric.device), "done": 0}
    if saved := keeper.load():
        state.load_state_dict(saved)
        if state.values["done"] == steps:
            keeper.say_finished()
        history.snapshots = keeper.load_snapshots(history.steps) if snapshots else {}

    def check():
        done, losses = (
            state.values["done"],
            state.values["losses"][:, : _since(state, every)].tolist(),
        )
        check_finite(losses[0], done - len(losses[0]) + 1, "critic", data)
        check_finite(losses[1], done - len(losses[1]) + 1, "generator", data)

    batches = _endless(state, data, batch_size)
    done, start = state.values["done"], time.perf_counter()
    with Session(state, keeper, steps, done, check, progress) as session, explained(batch_size):
        generator.train(), critic.train()
        while done < steps:
            for _ in range(critic_steps):
                size, batch = next(batches)
                critic_loss = game.critic_step(size, *batch)
            generator_loss = game.generator_step(size, *batch)
            state.values["losses"][:, done % every] = torch.stack([critic_loss, generator_loss])
            done = state.values["done"] = done + 1
            if done % every == 0 or done == steps:
                losses = fabric.all_reduce(state.values["losses"][:, : _since(state, every)])
                check()
                history.critic_loss.append(losses[0].mean().item())
                history.generator_loss.append(losses[1].mean().item())
                history.steps.append(done)
                if snapshots:
                    history.snapshots[done] = {
                        name: part.cpu().clone() for name, part in game.final.state_dict().items()
                    }
                    keeper.save_snapshot(done, history.snapshots[done])
                if callback:
                    _call(callback, game.final, done, history)
                history.seconds.append(time.perf_counter() - start)
                state.remember()
                session.entry(finished=done == steps)
                start = time.perf_counter()
            session.step()
    generator.load_state_dict(game.final.state_dict())
    session.leave()
    return history


class _Game:
    """Generator, critic and their optimisers, and one step of each."""

    def __init__(self, generator, critic, objective, noise, augment, fabric, rates, betas, ema):
        optimisers = [
            torch.optim.Adam(network.parameters(), rate, tuple(map(float, betas)), fused=True)
            for network, rate in zip((generator, critic), rates, strict=True)
        ]
        self.others = dict(
            zip(("generator_optimiser", "critic_optimiser"), optimisers, strict=True)
        )
        self.average = None
        if ema is not None:
            self.average = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(ema))
            self.others["average"] = self.average
        self.final = generator if ema is None else self.average.module
        self.generator, self.critic = generator, critic
        self.weights = [weight for weight in critic.parameters() if weight.requires_grad]
        self.wrapped_generator, self.generator_stepper = fabric.setup(generator, optimisers[0])
        self.wrapped_critic, self.critic_stepper = fabric.setup(critic, optimisers[1])
        if (
            fabric.world_size == 1
        ):  # nothing to synchronise: spare the wrapper's time in each small step
            self.wrapped_generator, self.wrapped_critic = generator, critic
        self.objective, self.noise, self.augment, self.fabric = objective, noise, augment, fabric

    def critic_step(self, size, real, *conditions):
        """Make the critic's loss smaller, and return it without the penalty."""
        common, own = self.state.common, self.state.share
        with torch.no_grad(), self.fabric.autocast():
            generated = self.generator(own(self.noise(size, common)), *conditions).to(real.dtype)
        if self.augment:
            real, generated = (
                self.augment(real, self.state.random),
                self.augment(generated, self.state.random),
            )
        with self.fabric.autocast():
            scores = (
                self.wrapped_critic(real, *conditions),
                self.wrapped_critic(generated, *conditions),
            )
        loss = whole = self.objective.critic_loss(*(score.float() for score in scores))
        if self.objective.penalty:
            place = torch.rand(size, *[1] * (real.ndim - 1), generator=common, device=real.device)
            points = torch.lerp(real, generated, own(place)).requires_grad_()
            whole = loss + self.objective.penalty(self.critic, points, *conditions)
        share = len(real) / size
        self._learn(self.critic_stepper, self._weighted(whole, share))
        if self.objective.clip:
            with torch.no_grad():
                torch._foreach_clamp_min_(self.weights, -self.objective.clip)
                torch._foreach_clamp_max_(self.weights, self.objective.clip)
        return self._weighted(loss.detach(), share)

    def generator_step(self, size, real, *conditions):
        """Make the generator's loss smaller, and return it; of the real samples only the number counts."""
        for weight in self.weights:
            weight.requires_grad_(False)
        try:
            loss = self._generator_step(size, real, *conditions)
        finally:
            for weight in self.weights:
                weight.requires_grad_(True)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        return loss.detach()

    def _generator_step(self, size, real, *conditions):
        with self.fabric.autocast():
            generated = self.wrapped_generator(
                self.state.share(self.noise(size, self.state.common)), *conditions
            )
            if self.augment:
                generated = self.augment(generated, self.state.random)
            scores = self.critic(generated, *conditions)
        loss = self.objective.generator_loss(scores.float())
        loss = self._weighted(loss, len(real) / size)
        self._learn(self.generator_stepper, loss)
        return loss

    def _weighted(self, loss, share):
        """Weigh a loss, so that its mean over several processes is that over all samples."""
        world = self.fabric.world_size
        return loss if world == 1 else loss * (share * world)

    def _learn(self, stepper, loss):
        self.fabric.backward(loss)
        stepper.step()
        stepper.zero_grad(set_to_none=True)


def _endless(state, data, batch_size):
    while True:
        yield from state.one_pass(data, batch_size, whole=True)


def _since(state, every):
    """Steps since the last entry of the history."""
    return (state.values["done"] - 1) % every + 1 if state.values["done"] else 0


def _call(callback, generator, step, history):
    """Call the callback with random numbers of its own, and note what it measured."""
    mode = generator.training
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices), torch.no_grad():
        torch.manual_seed(step)
        measured = callback(generator.eval(), step)
    generator.train(mode)
    for name, value in (measured or {}).items():
        history.metrics.setdefault(name, []).append(float(value))


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
        found = (
            tuple(generated.shape[1:]) if torch.is_tensor(generated) else type(generated).__name__
        )
        raise TrainingError(
            f"expected the generator to make samples of shape {tuple(real.shape[1:])}, found {found}: "
            "change its last layer, or the shape of the training data"
        )
    try_out(critic, (real, *conditions))
