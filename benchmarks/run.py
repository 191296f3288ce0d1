"""Side-by-side measurements; the results, with machine and versions, go to benchmarks/RESULTS.md.

The contestants take turns (A B A B ...), since a machine is never quiet, and what is quoted is the median of
the ratios of the turns, with their range. ``make bench`` runs it.
"""

import platform
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.datasets import atomic_path
from helpers.rings import mock
from helpers.training import fit

TURNS = 7


def seconds(function):
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(slow, fast, turns=TURNS, work=1.0):
    """Return how many times longer `slow` takes than `fast`, which does `work` times as much: median and range."""
    slow(), fast()
    ratios = [work * seconds(slow) / seconds(fast) for _ in range(turns)]
    return statistics.median(ratios), min(ratios), max(ratios)


def simulators():
    """The simulator of rings, all at once, against Pillow: image by image, and with all positions known before."""
    few, many = 200, 6000
    for kind in ("classifier", "regressor", "ellipse"):

        def image_by_image(kind=kind):
            for seed in range(few):
                mock.simulate(1, seed, kind, draw=mock.draw_rings_one_by_one)

        def disc_by_disc(kind=kind):
            mock.simulate(few, 0, kind, draw=mock.draw_rings_one_by_one)

        def ours(kind=kind):
            mock.simulate(many, 0, kind)

        yield f"rings, {kind}: one image at a time with Pillow / ours", compare(image_by_image, ours, work=many / few)
        yield f"rings, {kind}: only the discs with Pillow / ours", compare(disc_by_disc, ours, work=many / few)


def ring_network():
    """The regressor of hack 06."""
    layers = [nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 5))


def training():
    """One epoch of `fit` against a bare loop over one resident batch, and against the usual DataLoader loop."""
    n, batch = 2048, 64
    images = torch.from_numpy(mock.simulate(n, 0)[0][:, None].astype(np.float32) / 255)
    targets = torch.randn(n, 5)

    def ours():
        fit(ring_network(), (images, targets), loss=nn.functional.mse_loss, epochs=1, batch_size=batch, progress=False)

    def loop(batches):
        model = ring_network().train()
        optimiser = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
        for x, y in batches:
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            yield loss

    def bare():
        for _ in loop([(images[:batch], targets[:batch])] * (n // batch)):
            pass

    def usual():
        data = torch.utils.data.TensorDataset(images, targets)
        sum(loss.item() for loss in loop(torch.utils.data.DataLoader(data, batch, shuffle=True)))

    yield "ring regressor, one epoch: bare loop over one resident batch / fit", compare(bare, ours)
    yield "ring regressor, one epoch: DataLoader and item() each step / fit", compare(usual, ours)


def main():
    """Measure everything, print it and write it."""
    lines = [
        "# Results of `make bench`",
        "",
        f"{date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, PyTorch {torch.__version__.split('+')[0]}. Ratios of times within one run: "
        f"median of {TURNS} turns, and their range.",
        "",
        "| contestants | ratio | range |",
        "|---|---|---|",
    ]
    for group in (simulators, training):
        for name, (median, low, high) in group():
            lines.append(f"| {name} | {median:.2f} | {low:.2f} – {high:.2f} |")
            print(lines[-1], flush=True)
    with atomic_path(Path(__file__).with_name("RESULTS.md")) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
