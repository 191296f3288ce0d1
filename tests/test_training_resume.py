"""A training that is killed with SIGKILL, at any moment and as often as one likes, ends as if it had not been."""

import itertools
import multiprocessing
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


def jitter(inputs, generator):
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


def supervised(folder, seed, inputs, targets):
    torch.manual_seed(seed)
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


def streamed(folder, seed, inputs, targets):
    """The same, the inputs read from a file."""
    np.save(folder / f"inputs-{os.getpid()}.npy", inputs)
    return supervised(folder, seed, np.load(folder / f"inputs-{os.getpid()}.npy", mmap_mode="r"), targets)


def measure(generator, step):
    return {"mean": generator(torch.randn(50, 4), torch.zeros(50, 1)).mean()}


def adversarial(folder, seed, inputs, targets):
    torch.manual_seed(seed)
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


def dies_after(saves):
    """Let this process be killed when it has saved so many checkpoints."""
    save, numbers = checkpoints.save, itertools.count(1)

    def counted(path, state):
        save(path, state)
        if next(numbers) == saves:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.save = counted


def work(task, folder, seed, started, saves):
    torch.set_num_threads(1)
    if saves:
        dies_after(saves)
    checkpoints.SECONDS = checkpoints.SHARE = (
        0  # a checkpoint after each step, so that most kills meet one half written
    )
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 3)).astype(np.float32)
    started.set()
    networks, history = task(folder, seed, inputs, inputs.sum(axis=1, keepdims=True))
    plain = history.state_dict() | {"seconds": None}
    torch.save({"networks": networks, "history": plain}, folder / "end.tmp")
    os.replace(folder / "end.tmp", folder / "end.pt")


def run(task, folder, seed, kill_after=None, saves=None):
    """Train in a process of its own, killed after seconds or checkpoints; return whether it came to its end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.training"])
    started = context.Event()
    process = context.Process(target=work, args=(task, folder, seed, started, saves))
    process.start()
    assert started.wait(300)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.join(600)
    assert process.exitcode in (0, -9), process.exitcode
    return process.exitcode == 0


@pytest.mark.parametrize("task", [supervised, streamed, adversarial])
def test_killed_at_random_moments_it_ends_with_the_same_bits(task, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    assert run(task, whole, seed=1)
    draw = random.Random()
    assert not run(task, killed, seed=1, saves=draw.randint(1, 150))  # whatever the machine does, it is taken up once
    for kills in range(5):
        wait = draw.uniform(0, 0.3 + 0.1 * kills)  # longer on a machine that is busy
        if run(task, killed, seed=2 + kills, kill_after=wait):  # the weights to begin with are those of the file
            break
    else:
        assert run(task, killed, seed=10)
    expected, found = (torch.load(folder / "end.pt", weights_only=True) for folder in (whole, killed))
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
