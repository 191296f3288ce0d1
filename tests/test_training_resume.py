"""A training that is killed with SIGKILL, at any moment and as often as one likes, ends as if it had not been."""

import multiprocessing
import os
import random
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
        self.layers = nn.Sequential(nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3))

    def forward(self, noise, condition):
        return self.layers(torch.cat([noise, condition], dim=1))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(32, 1))

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
        epochs=40,
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
    generator, critic = Generator(), Critic()
    options = dict(noise=4, steps=200, batch_size=50, critic_steps=3, ema=0.9, augment=jitter, every=7)
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
    return {"generator": generator.state_dict(), "critic": critic.state_dict(), "shots": history.snapshots}, history


def work(task, folder, started):
    torch.set_num_threads(1)
    checkpoints.SECONDS = checkpoints.SHARE = (
        0  # a checkpoint after each step, so that most kills meet one half written
    )
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 3)).astype(np.float32)
    started.set()
    networks, history = task(folder, inputs, inputs.sum(axis=1, keepdims=True))
    plain = history.state_dict() | {"seconds": None}
    torch.save({"networks": networks, "history": plain, "steps": len(STEPS)}, folder / "end.tmp")
    os.replace(folder / "end.tmp", folder / "end.pt")


def run(task, folder, kill_after=None):
    """Train in a process of its own; return whether it came to its end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.training"])
    started = context.Event()
    process = context.Process(target=work, args=(task, folder, started))
    process.start()
    assert started.wait(60)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.join(120)
    assert process.exitcode in (0, -9), process.exitcode
    return process.exitcode == 0


@pytest.mark.parametrize("task", [supervised, streamed, adversarial])
def test_killed_at_random_moments_it_ends_with_the_same_bits(task, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    assert run(task, whole)
    draw = random.Random()
    kills = resumed = 0
    while True:
        resumed += (killed / "c.pt").exists()
        wait = draw.uniform(0, 0.3 + 0.1 * kills) if resumed < 6 else None  # longer on a machine that is busy
        if run(task, killed, wait):
            break
        kills += 1
    expected, found = (torch.load(folder / "end.pt", weights_only=True) for folder in (whole, killed))
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
