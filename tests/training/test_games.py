"""A game of one's own, written as in a notebook: named losses, exact resume, clear failures."""

import copy
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook

from helpers.nn.dense import Dense
from helpers.training import Game, TrainingError, TrainingInterrupted, checkpoints, play
from helpers.training.failures import check_processes
from helpers.training.loop import planned

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = np.random.default_rng(0).normal(size=(300, 6)).astype("f4") @ np.eye(6, dtype="f4") ** 2
STEPS = 20
LATENTS = 2


class LatentGame(Game):
    """An adversarial autoencoder (Makhzani et al. 2015, arXiv:1511.05644): three kinds of step.

    The autoencoder learns to reconstruct; the critic to tell latents from normal noise; the encoder
    to be taken for noise.
    """

    def __init__(self, weight=0.5, rate=3e-3):
        self.encoder = Dense(6, LATENTS, (16,))
        self.decoder = nn.Sequential(nn.Linear(LATENTS, 16), nn.Dropout(0.1), nn.Linear(16, 6))
        self.critic = Dense(LATENTS, 1, (16,))
        coder = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.coder = torch.optim.Adam(coder, rate)
        self.judge = torch.optim.RMSprop(self.critic.parameters(), rate)
        self.slower = torch.optim.lr_scheduler.ExponentialLR(self.coder, 0.99)
        self.weight = weight
        self.turn = 0
        self.spread = torch.ones(LATENTS)
        self.networks = {"encoder": self.encoder, "decoder": self.decoder, "critic": self.critic}
        self.parts = {"coder": self.coder, "judge": self.judge, "slower": self.slower}

    def step(self, batch):
        (samples,) = batch
        reconstruction = self.reconstruct(samples)
        latents = self.encoder(samples).detach()
        noise = torch.randn_like(latents) * self.spread
        real = F.softplus(-self.critic(noise)).mean()
        critic = real + F.softplus(self.critic(latents)).mean()
        self.learn(self.judge, critic)
        encoder = self.weight * F.softplus(-self.critic(self.encoder(samples))).mean()
        if self.turn % 3 == 2:  # less often than the others
            self.learn(self.coder, encoder)
            self.slower.step()
        self.turn += 1
        self.spread = 0.9 * self.spread + 0.1 * latents.std(dim=0)
        return {"reconstruction": reconstruction, "critic": critic, "encoder": encoder}

    def reconstruct(self, samples):
        loss = F.mse_loss(self.decoder(self.encoder(samples)), samples)
        self.learn(self.coder, loss)
        return loss

    def learn(self, optimiser, loss):
        for network in self.networks.values():
            network.zero_grad()
        loss.backward()
        optimiser.step()

    def validate(self, batch):
        return {"reconstruction": F.mse_loss(self.decoder(self.encoder(*batch)), *batch)}

    def at_entry(self, history):
        assert not torch.is_grad_enabled()
        assert not any(network.training for network in self.networks.values())
        made = self.decoder(torch.randn(50, LATENTS))
        history.add_metrics({"spread": made.std()})


def new_game(**options):
    torch.manual_seed(1)
    return LatentGame(**options)


def train(game, data=SAMPLES, validation=None, **options):
    given = dict(steps=STEPS, every=6, batch_size=64, progress=False)
    return play(game, data, validation, **given | options)


def weights(game):
    return {
        f"{name}.{part}": value
        for name, network in game.networks.items()
        for part, value in network.state_dict().items()
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def plain(history):
    return history.state_dict() | {"seconds": None}


def work(folder, dies_at):
    """Play the whole game, with a checkpoint after each step; die after a step of an optimiser."""
    torch.set_num_threads(1)
    checkpoints.SECONDS = checkpoints.SHARE = 0
    made = []

    def count(*_):
        made.append(1)
        if len(made) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    register_optimizer_step_post_hook(count)
    game = new_game()
    history = train(game, SAMPLES, SAMPLES[:50], checkpoint=folder / "c.pt")
    end = {"weights": weights(game), "history": plain(history), "made": len(made)}
    torch.save(end | {"game": game.state_dict()}, folder / "end.pt")


def run(forkserver, folder, dies_at=None):
    process = forkserver.Process(target=work, args=(folder, dies_at))
    process.start()
    process.join()
    assert process.exitcode == (0 if dies_at is None else -signal.SIGKILL)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, forkserver):
    folder = tmp_path_factory.mktemp("whole")
    run(forkserver, folder)
    return torch.load(folder / "end.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("deaths", [(4,), (13, 2), (16, 15), (45,)])
def test_killed_at_any_step_it_ends_with_the_same_bits(tmp_path, forkserver, whole, deaths):
    for dies_at in deaths:
        run(forkserver, tmp_path, dies_at)
        assert (tmp_path / "c.pt").exists()
    run(forkserver, tmp_path)
    found = torch.load(tmp_path / "end.pt", weights_only=True)
    assert found["made"] < whole["made"], "it did not go on, but began again"
    assert found["history"] == whole["history"]
    assert_same(found["weights"], whole["weights"])
    assert found["game"]["turn"] == whole["game"]["turn"] == STEPS
    assert torch.equal(found["game"]["spread"], whole["game"]["spread"])
    assert not list(tmp_path.glob("*-before*")), "a checkpoint was not taken for this game's own"


def test_losses_and_metrics_have_their_names():
    history = train(new_game(), SAMPLES, SAMPLES[:50])
    losses = ["reconstruction", "critic", "encoder"]
    assert list(history.curves) == [*losses, "validation reconstruction"]
    assert history.steps == [6, 12, 18, 20]
    assert list(history.metrics) == ["spread"]
    for curve in (*history.curves.values(), *history.metrics.values(), history.seconds):
        assert len(curve) == len(history) == 4
        assert all(type(value) is float for value in curve)


def test_a_curve_is_the_mean_over_the_steps_since_the_entry_before():
    losses = []

    class Listening(LatentGame):
        def step(self, batch):
            found = super().step(batch)
            losses.append(found["critic"].item())
            return found

    history = train(Listening())
    expected = [np.mean(losses[start : start + 6]) for start in (0, 6, 12, 18)]
    assert history.curves["critic"] == pytest.approx(expected, rel=1e-6)


def test_it_learns():
    history = train(new_game(), steps=300, every=50)
    reconstruction = history.curves["reconstruction"]
    assert reconstruction[-1] < 0.7 * reconstruction[0]


def test_an_epoch_visits_each_row_once():
    rows = []

    class Counting(LatentGame):
        def step(self, batch):
            rows.append(batch.size)
            return super().step(batch)

    history = train(Counting(), steps=None, epochs=2, every=None)
    assert rows == [64, 64, 64, 64, 44] * 2
    assert len(history) == 2
    assert history.steps == []


class Stopped(Exception):
    pass


@pytest.mark.parametrize("how", ["Ctrl-C", "error"])
def test_the_same_game_goes_on_when_its_cell_is_run_again(tmp_path, monkeypatch, capsys, how):
    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)
    expected = new_game()
    history = train(expected)
    made = []

    def stop(*_):
        made.append(1)
        if len(made) == 20:
            if how == "error":
                raise Stopped
            os.kill(os.getpid(), signal.SIGINT)

    game = new_game()
    hook = register_optimizer_step_post_hook(stop)
    with pytest.raises((TrainingInterrupted, Stopped)):
        train(game, checkpoint=tmp_path / "c.pt")
    found = train(game, checkpoint=tmp_path / "c.pt")
    hook.remove()
    assert plain(found) == plain(history)
    assert_same(weights(game), weights(expected))
    again = train(game, checkpoint=tmp_path / "c.pt")
    assert plain(again) == plain(history)
    said = capsys.readouterr().out
    assert said.count("holds this very training, finished") == 1
    assert "belongs" not in said


class Otherwise(LatentGame):
    def reconstruct(self, samples):
        loss = F.l1_loss(self.decoder(self.encoder(samples)), samples)
        self.learn(self.coder, loss)
        return loss


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        (LatentGame, dict(weight=0.9), "weight (0.5, now 0.9):"),
        (LatentGame, dict(rate=1e-3), "coder, "),
        (Otherwise, dict(), "game:"),
    ],
)
def test_checkpoint_of_another_game_is_not_used(tmp_path, capsys, kind, options, named):
    train(new_game(), checkpoint=tmp_path / "c.pt")
    torch.manual_seed(1)
    train(kind(**options), checkpoint=tmp_path / "c.pt")
    assert f"belongs to another training, by its {named}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["reconstruction", "critic", "encoder"])
def test_a_loss_that_is_not_finite_names_itself(name):
    """And the networks have the weights that they had at the last entry."""

    class Breaks(LatentGame):
        def step(self, batch):
            losses = super().step(batch)
            if self.turn == 9:
                losses[name] = losses[name] * torch.nan
            return losses

        def at_entry(self, history):
            self.kept = copy.deepcopy(weights(self))

    game = Breaks()
    with pytest.raises(TrainingError, match=f"a finite {name} loss, found nan in step 9 after"):
        train(game)
    assert_same(weights(game), game.kept)


def test_a_validation_loss_that_is_not_finite_names_itself():
    bad = SAMPLES[:50].copy()
    bad[3] = np.nan
    message = "finite validation reconstruction loss, found nan in step 6: .* the first in row 3"
    with pytest.raises(TrainingError, match=message):
        train(new_game(), SAMPLES, bad)


def test_a_game_can_end_itself_and_keep_snapshots(tmp_path):
    class Ends(LatentGame):
        def at_entry(self, history):
            history.snapshots[history.steps[-1]] = dict(self.critic.state_dict())
            history.stopped_early = len(history) == 2

        def at_end(self, history):
            self.critic.load_state_dict(history.snapshots[6])

    for _ in "ab":
        torch.manual_seed(1)
        game = Ends()
        history = train(game, checkpoint=tmp_path / "c.pt")
        assert history.steps == list(history.snapshots) == [6, 12]
        assert history.stopped_early
        assert_same(game.critic.state_dict(), history.snapshots[6])


def returning(*found):
    """A game whose steps return these things, one after the other."""

    class Returns(LatentGame):
        def step(self, batch):
            self.turn += 1
            return found[(self.turn - 1) % len(found)]

    return Returns()


ONE = torch.tensor(1.0)


@pytest.mark.parametrize(
    ("found", "error", "message"),
    [
        ([ONE], TypeError, "a dictionary of tensors with one number each, found a tensor"),
        ([{}], TypeError, "found dict"),
        ([{"a": 1.0}], TypeError, "found float"),
        ([{"a": torch.ones(2)}], TypeError, r"found a tensor of shape \(2,\)"),
        ([{"a": ONE}, {"b": ONE}], ValueError, "the losses a in each step.*found b"),
        ([{"a": ONE}, {"a": ONE, "b": ONE}], ValueError, "found a, b"),
    ],
)
def test_losses_of_another_form_are_refused(found, error, message):
    with pytest.raises(error, match=message):
        train(returning(*found))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(), "either steps= or epochs="),
        (dict(steps=3, epochs=3), "either steps= or epochs="),
        (dict(steps=0), "steps of at least 1, found 0"),
        (dict(epochs=3, every=2), "expected steps= for a game with every="),
        (dict(steps=3, batch_size=0), "batch_size of at least 1, found 0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(options, message):
    given = dict(steps=None, epochs=None, every=None, batch_size=8, seed=0) | options
    with pytest.raises(ValueError, match=message):
        planned(Game(), **given)


def test_names_must_be_distinct():
    game = new_game()
    game.parts["critic"] = game.judge
    with pytest.raises(ValueError, match="found critic twice"):
        train(game)


def test_several_processes_are_refused():
    fabric = SimpleNamespace(world_size=2)
    with pytest.raises(ValueError, match="one process for a game of your own, found 2"):
        check_processes(fabric, 64, [SAMPLES], Game.several_processes)
    check_processes(fabric, 64, [SAMPLES], allowed=True)
    with pytest.raises(ValueError, match="two samples for each of 2 processes.*found 3"):
        check_processes(fabric, 64, [SAMPLES[:3]], allowed=True)


def test_the_game_in_the_documentation_is_played_and_goes_on(tmp_path, monkeypatch, capsys):
    """As a reader would copy it, with images in the place of hers."""
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    section = page[page.index("## A game of your own") :]
    (_, code, *_) = re.split(r"^```(?:python)?$", section, flags=re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).normal(size=(200, 64)).astype("f4")
    reconstructions = []
    for _ in "ab":
        namespace = {"__name__": "__main__", "images": images}
        exec(code, namespace)
        history = namespace["history"]
        assert list(history.curves) == ["reconstruction", "divergence", "critic"]
        assert history.steps[-1] == 200
        reconstructions.append(history.curves["reconstruction"])
    assert reconstructions[0] == reconstructions[1]
    assert reconstructions[0][-1] < 0.9 * reconstructions[0][0]
    assert "holds this very training, finished" in capsys.readouterr().out
