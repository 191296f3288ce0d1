"""`fit` and `fit_gan` against bare loop, usual loop and Keras; cost, growth, time to quality."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import contestants
from benchmarks.timing import ratios, seconds
from helpers.training import fit, fit_gan, wasserstein_gradient_penalty
from helpers.training.devices import default_fabric

DEVICE = default_fabric().device
CASES = {  # network, data, samples, batch, epochs a turn, options of fit
    "ring regressor": (
        contestants.ring_regressor,
        contestants.rings,
        4096,
        64,
        4,
        dict(channels_last=True),
    ),
    "64 x 64 map CNN": (contestants.map_network, contestants.maps, 2048, 32, 1, {}),
}
GAN_STEPS = 100
CRITIC_STEPS = 5
GAN_BATCH = 64
mse = nn.functional.mse_loss


def measure():
    """Yield what is measured, a function that gives its values turn by turn, and the target."""
    gpu = DEVICE.type == "cuda"
    for name, (make, draw, n, batch, epochs, options) in CASES.items():
        data = draw(n)

        def ours(make=make, data=data, batch=batch, epochs=epochs, options=options, **more):
            fit(
                make(),
                data,
                loss=mse,
                epochs=epochs,
                batch_size=batch,
                progress=False,
                **options,
                **more,
            )

        def bare(make=make, data=data, batch=batch, epochs=epochs, options=options):
            bare_loop(make(), data, batch, epochs, options)

        def usual(make=make, data=data, batch=batch, epochs=epochs, options=options):
            usual_loop(make(), data, batch, epochs, options)

        yield (
            f"(a) {name}: bare loop / `fit`",
            partial(ratios, bare, ours),
            "≥ 0.9" if gpu else "≥ 0.95",
        )
        yield (
            f"(b) {name}: DataLoader, item() each step / `fit`",
            partial(ratios, usual, ours),
            "≥ 3 (small)" if gpu else "≥ 1",
        )
    yield (
        "(a) GAN step: bare loop / `fit_gan`",
        partial(ratios, bare_gan, our_gan),
        "≥ 0.9" if gpu else "≥ 0.95",
    )
    yield (
        "(b) GAN step: DataLoader, item() each step / `fit_gan`",
        partial(ratios, usual_gan, our_gan),
        "≥ 3" if gpu else "≥ 1",
    )
    for backend in ("tensorflow", "torch"):
        for name in CASES:
            yield f"(c) {name}: Keras {backend} / `fit`", partial(_keras, backend, name), "≥ 1"
    yield "(d) ring regressor: with checkpoint and progress bar / without", kept_and_shown, "≤ 1.03"
    yield "(e) ring regressor: seconds a sample, 32 768 samples / 4096", growth, "0.9 – 1.1"
    yield "(e) 64 x 64 map CNN: from a file / from memory", streamed, ""
    yield (
        "(e) peak memory with a file of 4 GB [GB]",
        lambda: [peak_memory() for _ in range(3)],
        "< 1.5",
    )
    for name, plan in PLANS.items():
        yield f"(f) {name}", partial(time_to_quality, *plan), "≤ 0.333"


def loop(model, batches, options):
    """A plain loop; yields the loss after each step."""
    model.to(DEVICE).train()
    if options.get("channels_last"):
        model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    for x, y in batches:
        loss = mse(model(x), y)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        yield loss


def bare_loop(model, data, batch, epochs, options):
    """Nothing but forward, backward and step, over one batch that lies on the device."""
    x, y = (torch.from_numpy(array[:batch]).to(DEVICE) for array in data)
    if options.get("channels_last"):
        x = x.contiguous(memory_format=torch.channels_last)
    for _ in loop(model, [(x, y)] * (len(data[0]) // batch * epochs), options):
        pass


def usual_loop(model, data, batch, epochs, options):
    """A DataLoader over a TensorDataset, and the loss asked for after each step."""
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, data)), batch, shuffle=True)
    batches = ([array.to(DEVICE) for array in arrays] for _ in range(epochs) for arrays in loader)
    sum(loss.item() for loss in loop(model, batches, options))


SPECTRA = contestants.spectra(4096)


def our_gan():
    """One turn of `fit_gan`."""
    options = dict(
        noise=16, steps=GAN_STEPS, critic_steps=CRITIC_STEPS, batch_size=GAN_BATCH, every=50
    )
    fit_gan(*contestants.gan(), SPECTRA, progress=False, **options)


def play(batches, each_step):
    """The same game in a plain loop."""
    generator, critic = (network.to(DEVICE).train() for network in contestants.gan())
    objective = wasserstein_gradient_penalty()
    optimisers = [
        torch.optim.Adam(n.parameters(), 1e-4, (0.0, 0.9), fused=True) for n in (generator, critic)
    ]
    for _ in range(GAN_STEPS):
        for _ in range(CRITIC_STEPS):
            real, condition = next(batches)
            with torch.no_grad():
                made = generator(torch.randn(len(real), 16, device=DEVICE), condition)
            places = torch.rand(len(real), 1, device=DEVICE)
            points = torch.lerp(real, made, places).requires_grad_()
            loss = objective.critic_loss(critic(real, condition), critic(made, condition))
            loss = loss + objective.penalty(critic, points, condition)
            loss.backward()
            optimisers[1].step()
            optimisers[1].zero_grad(set_to_none=True)
            each_step(loss)
        critic.requires_grad_(False)
        made = generator(torch.randn(len(real), 16, device=DEVICE), condition)
        loss = objective.generator_loss(critic(made, condition))
        loss.backward()
        optimisers[0].step()
        optimisers[0].zero_grad(set_to_none=True)
        critic.requires_grad_(True)
        each_step(loss)


def bare_gan():
    """The game over one batch that lies on the device."""
    batch = [torch.from_numpy(array[:GAN_BATCH]).to(DEVICE) for array in SPECTRA]
    play(iter(lambda: batch, None), lambda loss: None)


def usual_gan():
    """The game with a DataLoader, and the loss asked for after each step."""
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, SPECTRA)), GAN_BATCH, shuffle=True)
    batches = ([array.to(DEVICE) for array in arrays] for _ in range(99) for arrays in loader)
    play(batches, lambda loss: loss.item())


def _keras(backend, name):
    """Measure in a process of its own, since a process has one backend."""
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, Path(__file__).with_name("keras_fit.py"), name]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    return [float(value) for value in done.stdout.splitlines()[-1].split()]


def kept_and_shown():
    """One run with everything and one without; the bar is drawn, but not on the screen."""
    data = contestants.rings(8192)

    def train(**options):
        fit(
            contestants.ring_regressor(),
            data,
            loss=mse,
            epochs=6,
            batch_size=64,
            channels_last=True,
            **options,
        )

    def everything():
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            train(checkpoint=Path(folder) / "c.pt", progress=True)

    return ratios(everything, lambda: train(progress=False), turns=7)


def growth():
    """Seconds a sample of one epoch, for eight times as many samples."""
    few = contestants.rings(4096)
    many = contestants.rings(32768)

    def train(data, epochs):
        options = dict(loss=mse, batch_size=64, channels_last=True, progress=False)
        fit(contestants.ring_regressor(), data, epochs=epochs, **options)

    return ratios(lambda: train(many, 1), lambda: train(few, 8), turns=3)


def streamed():
    """The same training from a file and from memory."""
    images, targets = contestants.maps(1024)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "maps.npy", images)
        mapped = np.load(Path(folder) / "maps.npy", mmap_mode="r")

        def train(inputs):
            fit(
                contestants.map_network(),
                (inputs, targets),
                loss=mse,
                epochs=2,
                batch_size=32,
                progress=False,
            )

        return ratios(lambda: train(mapped), lambda: train(images))


MEMORY = """
import re
import sys
from pathlib import Path
import numpy as np
from torch import nn
from helpers.training import fit
maps = np.load(sys.argv[1], mmap_mode="r")
layers = [nn.Unflatten(1, (1, 256)), nn.AvgPool2d(4), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten()]
model = nn.Sequential(*layers, nn.LazyLinear(1))
data = maps, np.zeros((len(maps), 1))
fit(model, data, loss=nn.functional.mse_loss, epochs=1, batch_size=64, progress=False)
(peak,) = re.findall(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())
print(peak)
"""


def peak_memory():
    """Peak memory of one epoch over 15 000 maps of 256 x 256 in GB, with PyTorch itself (on Linux).

    Not `getrusage`: what it says includes the process that started this one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.npy"
        maps = np.lib.format.open_memmap(path, "w+", np.float32, (15000, 256, 256))
        for start in range(0, 15000, 500):
            random = np.random.default_rng(start)
            maps[start : start + 500] = random.random((500, 256, 256), dtype=np.float32)
        del maps
        command = [sys.executable, "-c", MEMORY, path]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    return float(done.stdout) / 1024**2


PLANS = {
    "ring regressor: `fit`, 3 epochs, one-cycle / Adam, the source's 8": (
        CASES["ring regressor"][:2],
        (8000, 64, 8),
        dict(epochs=3, batch_size=64, learning_rate=3e-3, channels_last=True),
    ),
    "64 x 64 map CNN: `fit`, 3 epochs, one-cycle / Adam, 20 epochs": (
        CASES["64 x 64 map CNN"][:2],
        (2000, 64, 20),
        dict(epochs=3, batch_size=32, learning_rate=1e-3),
    ),
}


def time_to_quality(case, plain, options):
    """Return, seed by seed, the seconds of the course's training over those of the plain one.

    The plain one is Adam at its usual rate for as many epochs as the source; its best validation
    loss is the mark. The course's number of epochs was chosen with another seed (0) than those
    measured; where it misses the mark, no time is short enough, and the share is infinite.
    """
    make, draw = case
    n, batch, epochs = plain
    shares = []
    for seed in (1, 2, 3):
        data = draw(n + n // 4, seed)
        train = tuple(array[:n] for array in data)
        validation = tuple(array[n:] for array in data)
        torch.manual_seed(seed)
        mark, spent = plain_adam(make(), train, validation, epochs, batch)
        torch.manual_seed(seed)
        start = time.perf_counter()
        history = fit(make(), train, validation, loss=mse, seed=seed, progress=False, **options)
        ours = time.perf_counter() - start
        reached = min(history.curves["validation"])
        print(f"  seed {seed}: loss {reached:.4f} in {ours:.1f} s; {mark:.4f} in {spent:.1f} s")
        shares.append(ours / spent if reached <= mark else float("inf"))
    return shares


def plain_adam(model, train, validation, epochs, batch):
    """Return the lowest validation loss of the usual loop with Adam, and its seconds."""
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, train)), batch, shuffle=True)
    x, y = (torch.from_numpy(array).to(DEVICE) for array in validation)
    model.to(DEVICE)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    best = np.inf
    value = np.inf
    spent = 0.0

    def epoch():
        nonlocal value
        model.train()
        for batch_x, batch_y in loader:
            loss = mse(model(batch_x.to(DEVICE)), batch_y.to(DEVICE))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            value = sum(
                mse(model(a), b).item() * len(a)
                for a, b in zip(x.split(500), y.split(500), strict=True)
            ) / len(x)

    for _ in range(epochs):
        spent += seconds(epoch)
        best = min(best, value)
    return best, spent
