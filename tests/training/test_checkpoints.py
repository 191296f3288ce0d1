"""Which checkpoints are trusted: none that is damaged, and none of other weights to begin with."""

import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from helpers.datasets.files import atomic_path
from helpers.training import TrainingError, checkpoints, fit, fit_gan

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)


def network(seed=1):
    torch.manual_seed(seed)
    return nn.Linear(3, 1)


def train(model, **options):
    given = dict(
        loss=nn.functional.mse_loss, epochs=3, batch_size=20, schedule="constant", progress=False
    )
    return fit(model, (X, Y), **given | options)


def trained(**options):
    model = network()
    train(model, **options)
    return model.weight


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.pt"


@pytest.fixture
def every_step(monkeypatch):
    """Keep a checkpoint after each step."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)


def flipped(content, place, bit=0):
    changed = bytearray(content)
    changed[place] ^= 1 << bit
    return bytes(changed)


def test_a_bit_that_flips_in_a_weight_is_noticed(path, capsys):
    weight = trained(checkpoint=path)
    content = path.read_bytes()
    damaged = flipped(content, content.index(weight.detach().numpy().tobytes()))
    path.write_bytes(damaged)
    assert torch.load(path, weights_only=True)  # PyTorch has nothing against it
    again = trained(checkpoint=path)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert (
        "cannot be read, or is damaged" in said
        and "training starts anew" in said
        and "c-before.pt" in said
    )
    assert path.with_name("c-before.pt").read_bytes() == damaged
    assert torch.equal(again, weight)


def test_of_bits_that_flip_anywhere_none_changes_what_is_read(path, capsys):
    """A bit of padding may change; the file is then as good as before."""
    train(network(), checkpoint=path)
    content = path.read_bytes()
    whole = repr(checkpoints.read(path))
    places = np.random.default_rng(3).choice(len(content), 200, replace=False)
    refused = 0
    for place in places:
        path.write_bytes(flipped(content, place, place % 8))
        try:
            assert repr(checkpoints.read(path)) == whole
        except AssertionError:
            raise
        except Exception:
            refused += 1
    assert refused > 20


class Malicious:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_nothing_in_a_checkpoint_is_executed(path, capsys):
    torch.save({"fingerprint": {}, "state": Malicious(path.with_name("executed"))}, path)
    train(network(), checkpoint=path)
    assert "cannot be read" in capsys.readouterr().out
    assert not path.with_name("executed").exists()


def test_a_damaged_snapshot_is_left_out(path, capsys):
    torch.manual_seed(1)
    pair = [nn.Linear(2, 3), nn.Linear(3, 1)]
    options = dict(
        noise=2, steps=4, every=1, batch_size=20, critic_steps=1, snapshots=True, progress=False
    )
    fit_gan(*pair, X, checkpoint=path, **options)
    (damaged,) = path.parent.glob("c-*-step-2.pt")
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert list(fit_gan(*pair, X, checkpoint=path, **options).snapshots) == [1, 3, 4]
    said = capsys.readouterr().out
    assert "the history does without it" in said and "anew, and" not in said


def test_other_initial_weights_are_another_training(path, capsys):
    """Three random starts with one file."""
    expected = [network(seed) for seed in (1, 2, 1)]
    found = [network(seed) for seed in (1, 2, 1)]
    for one, other in zip(expected, found, strict=True):
        train(one)
        train(other, checkpoint=path)
        assert torch.equal(one.weight, other.weight)
    assert capsys.readouterr().out.count("by its initial weights (for the same ones, seed") == 2


@pytest.mark.parametrize("name", ["c.pt", "c[1].pt"])
def test_what_a_killed_process_was_writing_is_deleted(tmp_path, name):
    path = tmp_path / name
    with atomic_path(path) as part:
        part.touch()
        other = part.with_suffix(".h5")
        other.touch()
        train(network(), checkpoint=path)
        assert not part.exists()
        assert other.exists()
        part.touch()


def test_each_random_start_of_a_gan_has_its_own_snapshots(path):
    options = dict(
        noise=2, steps=2, every=1, batch_size=20, critic_steps=1, snapshots=True, progress=False
    )
    for seed in (1, 2):
        torch.manual_seed(seed)
        fit_gan(nn.Linear(2, 3), nn.Linear(3, 1), X, checkpoint=path, **options)
    assert len([*path.parent.glob("c-*-step-1.pt")]) == 2


@pytest.mark.parametrize("how", [KeyboardInterrupt, MemoryError, "Ctrl-C", "not finite"])
def test_the_same_network_goes_on_after_whatever_stopped_it(path, capsys, every_step, how):
    """In a notebook, a cell is run again, and the network that it is given was made in another."""
    model = network()
    whole = network()
    calls = []
    train(whole)

    class Stopping(torch.autograd.Function):
        @staticmethod
        def forward(context, value):
            return value

        @staticmethod
        def backward(context, gradient):
            calls.append(1)
            if len(calls) != 5:
                return gradient
            if how == "Ctrl-C":
                os.kill(os.getpid(), signal.SIGINT)
            elif how == "not finite":
                return gradient * torch.nan
            else:
                raise how
            return gradient

    model.register_forward_hook(lambda module, inputs, output: Stopping.apply(output))
    with pytest.raises((KeyboardInterrupt, MemoryError, TrainingError)):
        train(model, checkpoint=path)
    assert not torch.equal(model.weight, network().weight)
    assert not torch.equal(model.weight, whole.weight)
    history = train(model, checkpoint=path)
    assert torch.equal(model.weight, whole.weight)
    assert len(history) == 3 and len(calls) < 5 + 9
    train(model, checkpoint=path)
    said = capsys.readouterr().out
    assert "anew, and" not in said and said.count("finished: its result is taken over") == 1


def test_weights_given_to_a_network_after_it_was_trained_are_another_beginning(path, capsys):
    model = network()
    train(model, checkpoint=path)
    model.load_state_dict(network(2).state_dict())
    train(model, checkpoint=path)
    assert "by its initial weights (" in capsys.readouterr().out


def test_a_checkpoint_of_other_settings_that_cannot_be_moved_stays(path, capsys, every_step):
    train(network(), checkpoint=path)
    content = path.read_bytes()
    path.with_name("c-before.pt").mkdir()  # so that it cannot be moved there, whoever tries
    other = trained(checkpoint=path, epochs=4)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "epochs (3, now 4): training starts anew, and it stays where it is" in said
    assert path.read_bytes() == content
    assert torch.equal(other, trained(epochs=4))


def test_a_disk_that_is_read_only_is_no_error(path, capsys, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    train(network(), checkpoint=path)
    path.with_name(".c-01234567.pt").touch()
    for name in ("replace", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    assert len(train(network(), checkpoint=path, epochs=4)) == 4
    said = capsys.readouterr().out
    assert "stays where it is and is not written over" in said
    assert "since it cannot be moved (Read-only" in said
    assert len(train(network(), checkpoint=path)) == 3
    assert "finished: its result is taken over" in capsys.readouterr().out


@pytest.mark.parametrize("call", ["fit", "fit_gan"])
def test_gradients_that_were_left_off_are_switched_on(call):
    try:
        torch.set_grad_enabled(False)
        if call == "fit":
            assert len(train(network())) == 3
        else:
            options = dict(noise=2, steps=4, batch_size=20, progress=False)
            assert fit_gan(nn.Linear(2, 3), nn.Linear(3, 1), X, **options).steps
    finally:
        torch.set_grad_enabled(True)
