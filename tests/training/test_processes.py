"""Two processes under Fabric's DDP do as one, within rounding, at an equal global batch."""

import os
import re
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from helpers import training
from helpers.training.devices import default_fabric

KINDS = ["fit", "streamed", "penalty", "clip", "saturated"]


def network(inputs, outputs=1):
    return nn.Sequential(nn.Linear(inputs, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, outputs))


class Conditional(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = network(inputs, outputs)

    def forward(self, x, condition):
        return self.layers(torch.cat([x, condition], dim=1))


def train(folder, end, fabric=None):
    """Train with each game and objective, with checkpoints in a folder; write there how it ends."""
    torch.set_num_threads(1)
    mapped = np.load(folder.parent / "x.npy", mmap_mode="r")
    x = np.array(mapped)
    y = x.sum(axis=1, keepdims=True)
    common = dict(fabric=fabric, progress=False)
    ends = {}
    for kind, inputs in (("fit", x), ("streamed", mapped)):
        torch.manual_seed(1)
        model = network(3)
        data = (
            (inputs[:256], y[:256]),
            (x[256:], y[256:]),
        )  # 54 validation samples: the shares are not equal
        options = dict(loss=nn.functional.mse_loss, epochs=4, batch_size=33)
        options |= dict(learning_rate=0.01, clip_norm=1.0, checkpoint=folder / f"{kind}.pt")
        history = training.fit(model, *data, **options, **common)
        ends[kind] = model.state_dict(), history.curves["training"] + history.curves["validation"]
    objectives = {
        "penalty": training.wasserstein_gradient_penalty(),
        "clip": training.wasserstein_clipping(0.05),
        "saturated": training.non_saturating(),
    }
    for kind, objective in objectives.items():
        torch.manual_seed(1)
        generator = Conditional(5, 3)
        critic = Conditional(4, 1)
        options = dict(noise=4, steps=12, batch_size=51, ema=0.9, every=4, learning_rate=1e-3)
        options |= dict(objective=objective, checkpoint=folder / f"{kind}.pt")
        history = training.fit_gan(generator, critic, (x, y), **options, **common)
        of_critic = {f"critic.{name}": value for name, value in critic.state_dict().items()}
        ends[kind] = (
            generator.state_dict() | of_critic,
            history.curves["critic"] + history.curves["generator"],
        )
    fabric = fabric or default_fabric()
    torch.save(
        {"ends": ends, "world": fabric.world_size}, folder / f"{end}-{fabric.global_rank}.pt"
    )


def train_alone(folder, end):
    """Train in this process only; what is said goes to a file."""
    with (folder / "said.txt").open("w", encoding="utf-8") as said, redirect_stdout(said):
        train(folder, end, Fabric(accelerator="cpu", devices=1))


def train_together(folder):
    """Train in one of the processes that ``fabric run`` starts, and then once more."""
    train(folder, "first")
    train(folder, "again")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, forkserver):
    """One process has trained in the folder "one", and two in the folder "two"."""
    folder = tmp_path_factory.mktemp("processes")
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(310, 3)).astype("float32"))
    for name in ("one", "two"):
        (folder / name).mkdir()
    alone(forkserver, folder / "one", "first")
    fabric = Path(sys.executable).with_name("fabric")
    command = [fabric, "run", "--accelerator", "cpu", "--devices", "2", "--strategy", "ddp"]
    with socket.socket() as free:
        free.bind(
            ("127.0.0.1", 0)
        )  # the usual port may be taken, by another run of these tests say
        port = str(free.getsockname()[1])
    command += ["--main-port", port, __file__, folder / "two"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    options = dict(cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=240)
    done = subprocess.run(command, **options)
    assert done.returncode == 0, done.stderr[:3000]
    (folder / "two" / "said.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def alone(forkserver, folder, end):
    process = forkserver.Process(target=train_alone, args=(folder, end))
    process.start()
    process.join()
    assert process.exitcode == 0


def read(folder, end, rank=0):
    return torch.load(folder / f"{end}-{rank}.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_do_as_one(folder, kind):
    one = read(folder / "one", "first")
    first, second = (read(folder / "two", "first", rank) for rank in (0, 1))
    assert (one["world"], first["world"]) == (1, 2)
    weights, losses = one["ends"][kind]
    a, a_losses = first["ends"][kind]
    b, b_losses = second["ends"][kind]
    assert a_losses == b_losses and np.allclose(a_losses, losses, rtol=1e-4, atol=1e-6)
    for name, expected in weights.items():
        assert torch.equal(a[name], b[name])
        assert torch.allclose(a[name], expected, atol=1e-4), name


@pytest.mark.slow
def test_checkpoint_of_several_processes_is_taken_up_by_as_many_only(folder, forkserver):
    first, again = (read(folder / "two", end) for end in ("first", "again"))
    said = (folder / "two" / "said.txt").read_text(encoding="utf-8")
    assert said.count("holds this very training, finished") == len(KINDS) and "belongs" not in said
    for kind in KINDS:
        expected, losses = first["ends"][kind]
        found, found_losses = again["ends"][kind]
        assert found_losses == losses
        assert all(torch.equal(value, expected[name]) for name, value in found.items())
    alone(forkserver, folder / "two", "alone")
    said = (folder / "two" / "said.txt").read_text(encoding="utf-8")
    assert len(
        re.findall(r"belongs to another training, by its .*processes \(2, now 1\)", said)
    ) == len(KINDS)


if __name__ == "__main__":
    train_together(Path(sys.argv[1]))
