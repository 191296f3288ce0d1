"""Training fails well: one clear message for each mishap, and the last good state kept."""

import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from helpers.training import TrainingError, TrainingInterrupted, checkpoints, fit, fit_gan, predict

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)
CLASSES = RNG.integers(0, 3, 200)


def train(model, inputs=X, targets=Y, **options):
    options = (
        dict(loss=F.mse_loss, epochs=5, batch_size=20, learning_rate=1e-2, progress=False) | options
    )
    return fit(model, (inputs, targets), **options)


class Breaks(nn.Module):
    """A linear model whose output is not a number from a certain call in training on."""

    def __init__(self, calls):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.left = calls

    def forward(self, x):
        self.left -= self.training
        return self.layer(x) * (torch.nan if self.left < 0 else 1.0)


def test_loss_that_turns_to_nan_gives_the_step_and_the_last_good_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)
    model = Breaks(24)
    good = nn.Linear(3, 1)
    good.load_state_dict(model.layer.state_dict())
    with pytest.raises(
        TrainingError,
        match=r"training loss, found nan in step 25 after .*, .*, .*: .*lower learning_rate",
    ):
        train(model, checkpoint=tmp_path / "c.pt", schedule="constant")
    train(good, epochs=2, schedule="constant")
    assert torch.equal(
        model.layer.weight, good.weight
    )  # those of the second epoch, of 10 steps each
    kept = torch.load(tmp_path / "c.pt", weights_only=True)["state"]
    assert (
        len(kept["parts"]["history"]["curves"]["training"]) == 2 and kept["place"]["position"] == 4
    )
    assert all(weight.isfinite().all() for weight in kept["parts"]["model"].values())


def test_weights_that_are_not_finite_are_never_kept(tmp_path, monkeypatch):
    """A gradient can be infinite where the loss is finite: the step before a NaN is not kept."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)
    steps = []

    def loss(prediction, target):
        steps.append(prediction)
        root = (prediction - prediction).sum().abs().sqrt()  # 0, with a gradient of 0 / 0
        return F.mse_loss(prediction, target) + (root if len(steps) == 8 else 0)

    with pytest.raises(TrainingError, match="found nan in step 8"):
        train(nn.Linear(3, 1), loss=loss, checkpoint=tmp_path / "c.pt")
    kept = torch.load(tmp_path / "c.pt", weights_only=True)["state"]
    assert kept["place"]["position"] == 6
    assert all(weight.isfinite().all() for weight in kept["parts"]["model"].values())


def test_a_rate_that_is_too_high_is_named_as_the_cause():
    calls = []

    def loss(prediction, target):
        calls.append(1)
        return 30.0 ** len(calls) * F.mse_loss(prediction, target)

    with pytest.raises(TrainingError, match="growing: lower learning_rate, or pass clip_norm"):
        train(nn.Linear(3, 1), loss=loss)


@pytest.mark.parametrize(
    ("model", "inputs", "targets", "loss", "message"),
    [
        (
            nn.Linear(4, 1),
            X,
            Y,
            F.mse_loss,
            r"does not take samples of shape \(3,\).*sizes of the layers",
        ),
        (
            nn.Linear(3, 1),
            X,
            Y[:, 0],
            F.mse_loss,
            r"same shape, found \(1,\) and \(\) a sample.*squeeze",
        ),
        (nn.Linear(3, 2), X, Y, F.l1_loss, r"same shape, found \(2,\) and \(1,\) a sample"),
        (nn.Linear(3, 2), X, Y, lambda p, y: (p - y) ** 2, r"one number.*found shape \(2, 2\)"),
        (
            nn.Linear(3, 1),
            X,
            CLASSES[:, None],
            F.mse_loss,
            "targets with decimals.*found torch.int64",
        ),
        (
            nn.Linear(3, 2),
            X,
            CLASSES,
            F.cross_entropy,
            "labels from 0 to 1 for the 2 outputs.*found 0 to 2",
        ),
        (
            nn.Linear(3, 3),
            X,
            CLASSES + 1,
            nn.CrossEntropyLoss(),
            "labels from 0 to 2 .*found 1 to 3",
        ),
        (
            nn.Linear(3, 3),
            X,
            CLASSES - 1,
            partial(F.cross_entropy, label_smoothing=0.1),
            "found -1 to 1",
        ),
        (
            nn.Linear(3, 3),
            X,
            CLASSES[:, None],
            F.cross_entropy,
            r"loss does not take predictions of shape \(3,\) and targets of",
        ),
        (
            nn.Linear(3, 3),
            X,
            Y,
            lambda p, y: p[:, :2].T @ y[:, :5] @ y,
            "loss does not take predictions",
        ),
        (
            nn.Linear(3, 1),
            X,
            Y,
            lambda p, y: ((p - y) ** 2).mean(dim=0),
            r"one number.*found shape \(1,\)",
        ),
        (
            nn.Linear(3, 3),
            X,
            CLASSES + 1,
            lambda p, y: F.cross_entropy(p, y),
            "labels out of range.*found 1 to 3",
        ),
    ],
)
def test_what_does_not_fit_together_is_said_before_training(model, inputs, targets, loss, message):
    before = [weight.clone() for weight in model.state_dict().values()]
    with pytest.raises(TrainingError, match=message):
        train(model, inputs, targets, loss=loss, epochs=1)
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))


def test_labels_to_be_ignored_are_no_error():
    labels = np.where(RNG.random(200) < 0.2, -100, CLASSES)
    assert len(train(nn.Linear(3, 3), targets=labels, loss=F.cross_entropy)) == 5


def test_predict_says_what_does_not_fit():
    with pytest.raises(TrainingError, match=r"does not take samples of shape \(3,\)"):
        predict(nn.Linear(4, 1), X)


def test_out_of_memory_says_what_to_lower():
    """No GPU is needed: PyTorch's error is raised by hand, in the third epoch."""
    calls = []

    def loss(prediction, target):
        calls.append(1)
        if len(calls) == 25:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return F.mse_loss(prediction, target)

    model = nn.Linear(3, 1)
    good = nn.Linear(3, 1)
    good.load_state_dict(model.state_dict())
    with pytest.raises(
        TrainingError, match="out of memory with batch_size=20: lower batch_size.*memmap"
    ):
        train(model, loss=loss, schedule="constant")
    train(good, epochs=2, schedule="constant")
    assert torch.equal(model.weight, good.weight)


def test_memory_of_this_machine_that_is_used_up_says_the_same():
    class Huge(nn.Linear):
        def forward(self, x):
            return super().forward(x) + (torch.empty(10**15).sum() if self.training else 0)

    with pytest.raises(TrainingError, match="out of memory with batch_size=20"):
        train(Huge(3, 1))


def test_out_of_memory_in_validation_and_in_the_trial_say_the_same():
    class Small(nn.Linear):
        def forward(self, x):
            if len(x) > self.most:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(x)

    for most, batch_size in ((1, 20), (25, 20)):
        model = Small(3, 1)
        model.most = most
        with pytest.raises(TrainingError, match="^out of memory with batch_size="):
            fit(
                model,
                (X, Y),
                (X, Y),
                loss=F.mse_loss,
                epochs=1,
                batch_size=batch_size,
                progress=False,
            )
    model = Small(3, 1)
    model.most = 25  # validation takes no more than four batches at a time
    assert (
        len(fit(model, (X, Y), (X, Y), loss=F.mse_loss, epochs=1, batch_size=6, progress=False))
        == 1
    )


def test_one_sample_and_batch_normalisation():
    with pytest.raises(TrainingError, match="batch normalisation needs two samples"):
        train(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)), X[:1], Y[:1])


def test_a_full_disk_is_said_once_and_training_goes_on(tmp_path):
    """Files are limited to 200 bytes in a process of its own, so that writing really fails."""
    script = (
        "import resource, sys, numpy as np, torch; from pathlib import Path\n"
        "from helpers.training import checkpoints, fit\n"
        "from torch import nn\n"
        "checkpoints.SECONDS = checkpoints.SHARE = 0\n"
        "path, x = Path(sys.argv[1]), np.ones((60, 3))\n"
        "torch.manual_seed(0)\n"
        "options = dict(loss=nn.functional.mse_loss, batch_size=20, progress=False)\n"
        "data = (x, x[:, :1])\n"
        "run = lambda n: fit(nn.Linear(3, 1), data, epochs=n, checkpoint=path, **options)\n"
        "run(1)\n"
        "before = path.read_bytes()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
        "history = run(2)\n"
        "assert len(history) == 2 and path.with_name('c-before.pt').read_bytes() == before\n"
        "print([p.name for p in path.parent.iterdir()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "c.pt"], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot be written (File too large): training goes on") == 1
    assert done.stdout.strip().endswith("['c-before.pt']")  # no half-written file lies about
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200


@contextmanager
def ctrl_c(step=None):
    """Press Ctrl-C in the middle of a certain step; yield the list of the steps that are taken."""
    steps = []

    def press(module, _):
        if isinstance(module, nn.Linear) and module.training:
            steps.append(module)
            if len(steps) == step:
                os.kill(os.getpid(), signal.SIGINT)

    hook = register_module_forward_pre_hook(press)
    try:
        yield steps
    finally:
        hook.remove()


def test_ctrl_c_stops_after_a_whole_step_and_the_same_call_goes_on(tmp_path):
    def model():
        torch.manual_seed(3)
        return nn.Linear(3, 1)

    options = dict(epochs=6, checkpoint=tmp_path / "c.pt")
    handler = signal.getsignal(signal.SIGINT)
    told = r"stopped after step 23 of 60; it is kept in .*c.pt: run the same"
    with ctrl_c(step=23), pytest.raises(TrainingInterrupted, match=told):
        train(model(), **options)
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = model()
    whole = model()
    with ctrl_c() as steps:
        assert len(train(resumed, **options)) == 6
    assert len(steps) == 60 - 23
    train(whole, epochs=6)
    assert torch.equal(resumed.weight, whole.weight)


def test_ctrl_c_says_whether_the_state_could_be_kept(tmp_path, monkeypatch, capsys):
    def full(path, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save", full)
    with ctrl_c(step=23), pytest.raises(TrainingInterrupted, match="but they could not be kept"):
        train(nn.Linear(3, 1), epochs=50, checkpoint=tmp_path / "c.pt")
    assert "cannot be written (No space left on device)" in capsys.readouterr().out


def test_ctrl_c_after_the_last_step_is_not_lost():
    def loss(prediction, target):
        if not torch.is_grad_enabled() and len(prediction) > 2:
            os.kill(os.getpid(), signal.SIGINT)  # while validating
        return F.mse_loss(prediction, target)

    with pytest.raises(TrainingInterrupted, match="just after it was finished; nothing is lost"):
        fit(nn.Linear(3, 1), (X, Y), (X, Y), loss=loss, epochs=1, batch_size=200, progress=False)


def test_ctrl_c_without_a_checkpoint_says_how_to_have_one():
    with (
        ctrl_c(step=23),
        pytest.raises(KeyboardInterrupt, match="pass checkpoint= to be able to go on") as raised,
    ):
        train(nn.Linear(3, 1), epochs=50)
    assert raised.value._render_traceback_() == [
        f"TrainingInterrupted: {raised.value}"
    ]  # all that a notebook shows


def test_training_in_another_thread_leaves_ctrl_c_alone():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(train(nn.Linear(3, 1))))
    thread.start(), thread.join()
    assert len(histories[0]) == 5


def play(generator=None, critic=None, real=X, **options):
    options = dict(noise=4, steps=20, batch_size=20, every=5, progress=False) | options
    return fit_gan(generator or nn.Linear(4, 3), critic or nn.Linear(3, 1), real, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(generator=nn.Linear(4, 5)), r"samples of shape \(3,\), found \(5,\)"),
        (dict(generator=nn.Linear(6, 3)), r"does not take samples of shape \(4,\)"),
        (dict(critic=nn.Linear(5, 1)), r"does not take samples of shape \(3,\)"),
        (dict(critic=Breaks(16 * 3)), r"finite critic loss, found nan in step 4 after"),
        (
            dict(real=np.where(np.arange(600).reshape(200, 3) == 70, np.nan, X)),
            "1 sample.* not finite, the first in row 23",
        ),
    ],
)
def test_a_gan_says_what_is_wrong(change, message):
    with pytest.raises(TrainingError, match=message):
        play(**({"generator": nn.Linear(4, 3)} | change))


def test_a_gan_without_data_or_steps_says_so():
    with pytest.raises(ValueError, match="found none"):
        play(real=X[:0])
    with pytest.raises(ValueError, match="steps of at least 1, found 0"):
        play(steps=0)


def test_a_gan_that_breaks_has_its_last_good_weights():
    torch.manual_seed(1)
    generator = nn.Linear(4, 3)
    critic = Breaks(10**6)
    good = nn.Linear(4, 3)
    judge = Breaks(10**6)
    good.load_state_dict(generator.state_dict()), judge.load_state_dict(critic.state_dict())
    critic.left = 16 * 12  # 5 critic steps with 3 calls each, and one of the generator
    with pytest.raises(TrainingError, match="found nan in step 13"):
        play(generator, critic)
    kept = []
    play(good, judge, callback=lambda model, step: kept.append(model.weight.clone()))
    assert torch.equal(generator.weight, kept[1])  # after 10 steps: an entry every 5
