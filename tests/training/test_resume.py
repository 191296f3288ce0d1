"""A training that is killed at any moment, as often as one likes, ends as if it had not been."""

import os
import random
import signal
import time

import numpy as np
import pytest
import torch
from torch import nn

from helpers.training import checkpoints, fit, fit_gan

N = 600
STEPS = []  # made in this process


def jitter(inputs, generator):
    STEPS.append(len(inputs))
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator, device=inputs.device)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3)
        )

    def forward(self, noise, condition):
        return self.layers(torch.cat([noise, condition], dim=1))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(32, 1)
        )

    def forward(self, samples, condition):
        return self.layers(torch.cat([samples, condition], dim=1))


def supervised(folder, inputs, targets):
    torch.manual_seed(1)
    layers = [nn.Linear(3, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1)]
    model = nn.Sequential(*layers)
    history = fit(
        model,
        (inputs, targets),
        (inputs[:100] + 0, targets[:100]),
        loss=nn.functional.mse_loss,
        epochs=12,
        batch_size=50,
        clip_norm=1.0,
        augment=jitter,
        checkpoint=folder / "c.pt",
        progress=False,
    )
    return {"model": model.state_dict()}, history


def streamed(folder, inputs, targets):
    """The same, the inputs read from a file."""
    np.save(folder / f"inputs-{os.getpid()}.npy", inputs)
    return supervised(folder, np.load(folder / f"inputs-{os.getpid()}.npy", mmap_mode="r"), targets)


def measure(generator, step):
    return {"mean": generator(torch.randn(50, 4), torch.zeros(50, 1)).mean()}


def adversarial(folder, inputs, targets):
    torch.manual_seed(1)
    generator = Generator()
    critic = Critic()
    options = dict(
        noise=4, steps=60, batch_size=50, critic_steps=3, ema=0.9, augment=jitter, every=7
    )
    history = fit_gan(
        generator,
        critic,
        (inputs, targets),
        snapshots=True,
        callback=measure,
        checkpoint=folder / "c.pt",
        progress=False,
        **options,
    )
    return {
        "generator": generator.state_dict(),
        "critic": critic.state_dict(),
        "shots": history.snapshots,
    }, history


def work(task, folder, dies_after):
    """Train; die after some seconds, which may be any moment, if they are not 0."""
    torch.set_num_threads(1)
    checkpoints.SECONDS = checkpoints.SHARE = (
        0  # after each step, so that most deaths meet a checkpoint half written
    )
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 3)).astype(np.float32)
    start = time.process_time()
    signal.setitimer(
        signal.ITIMER_REAL, dies_after
    )  # its signal is SIGALRM, which ends a process as SIGKILL does
    networks, history = task(folder, inputs, inputs.sum(axis=1, keepdims=True))
    signal.setitimer(signal.ITIMER_REAL, 0)
    plain = history.state_dict() | {"seconds": None}
    end = {
        "networks": networks,
        "history": plain,
        "took": time.process_time() - start,
        "steps": len(STEPS),
    }
    torch.save(end, folder / "end.pt")


@pytest.mark.slow
@pytest.mark.parametrize("task", [supervised, streamed, adversarial])
def test_killed_at_random_moments_it_ends_with_the_same_bits(task, tmp_path, forkserver):
    def run(folder, dies_after=0):
        process = forkserver.Process(target=work, args=(task, folder, dies_after))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGALRM)
        return process.exitcode == 0

    whole = tmp_path / "whole"
    killed = tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert run(whole)
    expected = torch.load(whole / "end.pt", weights_only=True)
    draw = random.Random()
    deaths = 0
    resumed = 0
    ended = False
    while not ended:
        resumed += (killed / "c.pt").exists()
        longest = expected["took"] * (
            0.3 + 0.05 * deaths
        )  # on a busy machine little is done in that time
        dies_after = draw.uniform(0.001, longest) if resumed < 6 else 0
        ended = run(killed, dies_after)
        deaths += not ended
    found = torch.load(killed / "end.pt", weights_only=True)
    assert resumed >= 1
    assert found["steps"] < expected["steps"], "it did not go on, but began again"
    assert found["history"] == expected["history"]
    same_weights(found["networks"], expected["networks"])
    assert not list(killed.glob(".c-*")), "what a killed process had half written lies about"
    assert not list(killed.glob("*-before*")), "a checkpoint was not taken for this run's own"


def same_weights(found, expected):
    if torch.is_tensor(expected):
        assert torch.equal(found, expected)
        return
    assert found.keys() == expected.keys()
    for name in expected:
        same_weights(found[name], expected[name])
