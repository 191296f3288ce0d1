"""Two processes under Fabric's DDP give the same result as one, within rounding, at an equal global batch."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import torch
from torch import nn
from helpers import training

torch.set_num_threads(1)
folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
x = rng.normal(size=(310, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)
np.save(folder / "x.npy", x) if not (folder / "x.npy").exists() else None


def network(inputs, outputs=1):
    return nn.Sequential(nn.Linear(inputs, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, outputs))


class Conditional(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = network(inputs, outputs)

    def forward(self, x, condition):
        return self.layers(torch.cat([x, condition], dim=1))


def main():
    ends = {}
    for kind, inputs in (("fit", x), ("streamed", np.load(folder / "x.npy", mmap_mode="r"))):
        torch.manual_seed(1)
        model = network(3)
        data = (inputs[:256], y[:256]), (x[256:], y[256:])  # 54 validation samples: the shares are not equal
        options = dict(loss=nn.functional.mse_loss, epochs=4, batch_size=33, learning_rate=0.01, clip_norm=1.0)
        history = training.fit(model, *data, **options, checkpoint=folder / f"{kind}.pt", progress=False)
        ends[kind] = model.state_dict(), history.train_loss + history.validation_loss
    objectives = dict(penalty=training.wasserstein_gradient_penalty(), clip=training.wasserstein_clipping(0.05))
    for kind, objective in (objectives | dict(saturated=training.non_saturating())).items():
        torch.manual_seed(1)
        generator, critic = Conditional(5, 3), Conditional(4, 1)
        history = training.fit_gan(
            generator, critic, (x, y), noise=4, steps=12, batch_size=50, objective=objective, ema=0.9, every=4,
            learning_rate=1e-3, checkpoint=folder / f"{kind}.pt", progress=False)
        weights = {**generator.state_dict(), **{f"critic.{k}": v for k, v in critic.state_dict().items()}}
        ends[kind] = weights, history.critic_loss + history.generator_loss
    fabric = training.supervised.default_fabric()
    torch.save({"ends": ends, "world": fabric.world_size}, folder / f"end-{fabric.global_rank}.pt")


main()
"""


def run(folder, processes):
    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    fabric = Path(sys.executable).with_name("fabric")
    command = [fabric, "run", "--accelerator", "cpu", "--devices", processes, "--strategy", "ddp", "script.py", folder]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=240
    )
    assert done.returncode == 0, done.stderr[:3000]
    return [torch.load(folder / f"end-{rank}.pt", weights_only=True) for rank in range(processes)], done.stdout


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    return run(folder / "one", 1)[0][0], run(folder / "two", 2)[0], folder


@pytest.mark.parametrize("kind", ["fit", "streamed", "penalty", "clip", "saturated"])
def test_two_processes_do_as_one(ends, kind):
    one, (first, second), _ = ends
    assert (one["world"], first["world"]) == (1, 2)
    (weights, losses), (a, a_losses), (b, b_losses) = (end["ends"][kind] for end in (one, first, second))
    assert a_losses == b_losses and np.allclose(a_losses, losses, rtol=1e-4, atol=1e-6)
    for name, expected in weights.items():
        assert torch.equal(a[name], b[name])
        assert torch.allclose(a[name], expected, atol=1e-4), name


def test_checkpoint_of_several_processes_is_taken_up_by_as_many_only(ends):
    one, (first, _), folder = ends
    (again, _), said = run(folder / "two", 2)
    assert said.count("holds this very training, finished") == len(again["ends"])
    assert "belongs" not in said
    for kind, (weights, losses) in again["ends"].items():
        assert losses == first["ends"][kind][1]
        assert all(torch.equal(value, first["ends"][kind][0][name]) for name, value in weights.items())
    _, said = run(folder / "two", 1)
    assert "belongs to another training, by its processes (2, now 1)" in said
