"""`fit_gan`: it learns with each objective; averages, snapshots and callbacks hold."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from helpers.nn.dense import Dense
from helpers.training import (
    Objective,
    TrainingError,
    checkpoints,
    fit_gan,
    non_saturating,
    predict,
    wasserstein_clipping,
    wasserstein_gradient_penalty,
)
from helpers.training.objectives import gradient_penalty

RNG = np.random.default_rng(0)
CONDITION = RNG.uniform(-1, 1, (2000, 1)).astype(np.float32)
BOW = np.concatenate([CONDITION, 2 * CONDITION**2], axis=1) + 0.1 * RNG.normal(
    size=(2000, 2)
).astype(np.float32)


class Small(Dense):
    """Takes its inputs side by side."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, (32, 32))


def networks(conditions=1, seed=0):
    torch.manual_seed(seed)
    return Small(2 + conditions, 2), Small(2 + conditions, 1)


def play(pair, real=(BOW, CONDITION), **options):
    options = (
        dict(noise=2, steps=40, learning_rate=1e-3, critic_steps=2, every=10, progress=False)
        | options
    )
    return fit_gan(*pair, real, **options)


OBJECTIVES = {
    "gradient penalty": wasserstein_gradient_penalty(),
    "clipping": wasserstein_clipping(0.05),
    "non-saturating": non_saturating(),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_it_learns_what_depends_on_the_condition(name):
    pair = networks()
    noise = np.random.default_rng(1).normal(size=(2000, 2))
    before = predict(pair[0], (noise, CONDITION))
    history = play(pair, objective=OBJECTIVES[name], steps=500, learning_rate=5e-3, ema=0.98)
    made = predict(pair[0], (noise, CONDITION))
    truth = np.concatenate([CONDITION, 2 * CONDITION**2], axis=1)
    assert np.sqrt(np.mean((made - truth) ** 2)) < 0.3 < np.sqrt(np.mean((before - truth) ** 2))
    assert history.steps == list(range(10, 501, 10)) and len(history) == 50
    assert list(history.curves) == ["critic", "generator"]


def test_it_learns_without_conditions():
    """With the objective that ends at the same place whatever the seed; the others go round it."""
    pair = networks(conditions=0)
    noise = np.random.default_rng(1).normal(size=(2000, 2))

    def distance():
        made = predict(pair[0], noise)
        spread = made.std(axis=0) / BOW.std(axis=0)
        return np.abs(made.mean(axis=0) - BOW.mean(axis=0)).max(), np.abs(spread - 1).max()

    assert min(distance()) > 0.3
    play(pair, real=BOW, objective=non_saturating(), steps=300, learning_rate=5e-3, ema=0.98)
    assert max(distance()) < 0.15


def test_each_optimiser_makes_its_steps_and_the_critic_sees_whole_batches():
    class Counting(Small):
        seen = None

        def forward(self, *inputs):
            if self.training:
                self.seen.append((len(inputs[0]), torch.is_grad_enabled()))
            return super().forward(*inputs)

    generator = Counting(3, 2)
    critic = Counting(3, 1)
    generator.seen = []
    critic.seen = []
    play(
        (generator, critic),
        steps=7,
        critic_steps=3,
        batch_size=64,
        objective=wasserstein_clipping(),
    )
    assert [grad for _, grad in generator.seen] == [False, False, False, True] * 7
    assert len(critic.seen) == 7 * (3 * 2 + 1) and {size for size, _ in critic.seen} == {
        64
    }  # 2000 = 31 × 64 + 16


def test_clipping_holds_the_weights_and_nothing_else_does():
    generator, critic = networks()
    play((generator, critic), objective=wasserstein_clipping(0.03), learning_rate=0.01)
    assert max(weight.abs().max().item() for weight in critic.parameters()) == pytest.approx(0.03)
    assert max(weight.abs().max().item() for weight in generator.parameters()) > 0.1


def test_gradient_penalty_is_that_of_a_function_whose_gradient_is_known():
    points = torch.randn(50, 2, requires_grad=True)
    assert gradient_penalty(lambda x: x @ torch.tensor([3.0, 4.0]), points).item() == pytest.approx(
        10 * 16
    )
    assert gradient_penalty(lambda x: x @ torch.tensor([0.6, 0.8]), points).item() == pytest.approx(
        0, abs=1e-9
    )
    norm = 2 * points.detach().norm(dim=1)
    value = gradient_penalty(lambda x: (x**2).sum(dim=1), points, weight=1.0).item()
    assert value == pytest.approx(((norm - 1) ** 2).mean().item(), rel=1e-5)


def test_penalty_is_taken_between_real_and_generated_samples():
    seen = []

    def penalty(critic, points, condition):
        assert points.requires_grad and len(condition) == len(points)
        seen.append(points.detach())
        return critic(points, condition).mean() * 0

    class Constant(Small):
        def forward(self, *inputs):
            return super().forward(*inputs) * 0 + 10.0

    ones = np.ones((200, 2), dtype=np.float32)
    loss = wasserstein_gradient_penalty()
    play(
        (Constant(3, 2), Small(3, 1)),
        real=(ones, ones[:, :1]),
        steps=4,
        objective=Objective(loss.critic_loss, loss.generator_loss, penalty),
    )
    points = torch.cat(seen)
    assert torch.allclose(
        points[:, 0], points[:, 1]
    )  # the same share in every dimension of a sample
    assert (
        1 <= points.min() < 1.5 and 9.5 < points.max() <= 10 and points[:, 0].unique().numel() > 100
    )


def test_non_saturating_losses_are_cross_entropies():
    real = torch.randn(20, 1)
    made = torch.randn(20, 1)
    entropy = nn.functional.binary_cross_entropy_with_logits
    objective = non_saturating(0.1)
    expected = entropy(real, torch.full_like(real, 0.9)) + entropy(made, torch.zeros_like(made))
    assert objective.critic_loss(real, made).item() == pytest.approx(expected.item(), rel=1e-6)
    assert objective.generator_loss(made).item() == pytest.approx(
        entropy(made, torch.ones_like(made)).item(), rel=1e-6
    )


def test_the_average_is_that_of_the_weights_after_each_step():
    weights = []
    plain = networks()
    play(
        plain,
        callback=lambda model, step: weights.append(copy.deepcopy(model.state_dict())),
        every=1,
        steps=6,
    )
    averaged = networks()
    play(averaged, every=1, steps=6, ema=0.7)
    for name, value in averaged[0].state_dict().items():
        expected = weights[0][name]
        for later in weights[1:]:
            expected = 0.7 * expected + 0.3 * later[name]
        assert torch.allclose(value, expected, atol=1e-6)
        assert not torch.allclose(value, weights[-1][name], atol=1e-6)


def test_snapshots_are_the_weights_at_each_entry_and_lie_beside_the_checkpoint(tmp_path):
    kept = {}

    def keep(model, step):
        kept[step] = model.layers[0].weight.clone()

    options = dict(snapshots=True, callback=keep, ema=0.9, checkpoint=tmp_path / "c.pt")
    history = play(networks(), **options)
    assert list(history.snapshots) == [10, 20, 30, 40]
    (snapshot,) = tmp_path.glob("c-*-step-10.pt")
    unfinished = snapshot.with_name(f".{snapshot.stem}-0123abcd.pt")  # of a process that was killed
    unfinished.touch()
    again = play(networks(), **options)  # finished: everything is read
    for step, weights in kept.items():
        assert torch.equal(history.snapshots[step]["layers.0.weight"], weights)
        assert torch.equal(again.snapshots[step]["layers.0.weight"], weights)
    model = networks(seed=5)[0]
    model.load_state_dict(again.snapshots[20])
    assert (tmp_path / "c.pt").stat().st_size > 0 and len(list(tmp_path.glob("c-*-step-*.pt"))) == 4
    assert not unfinished.exists()


def test_a_callback_measures_and_changes_nothing():
    def measure(model, step):
        assert not model.training and not torch.is_grad_enabled()
        torch.rand(1000)
        return {"step": step, "spread": model(torch.randn(100, 2), torch.zeros(100, 1)).std()}

    with_one = networks()
    without = networks()
    history = play(with_one, callback=measure)
    play(without)
    assert history.metrics["step"] == [10, 20, 30, 40]
    assert len(history.metrics["spread"]) == 4 and all(
        type(value) is float for value in history.metrics["spread"]
    )
    for a, b in zip(with_one[0].parameters(), without[0].parameters(), strict=True):
        assert torch.equal(a, b)


def test_noise_of_another_kind_and_augmentation_of_both():
    seen = []

    def uniform(n, random):
        return torch.rand(n, 2, generator=random) * 2 - 1

    def flip(samples, random):
        seen.append(len(samples))
        return samples * torch.tensor([-1.0, 1.0])

    pair = networks()
    other = networks()
    play(pair, noise=uniform, augment=flip, steps=5)
    assert len(seen) == 5 * (2 * 2 + 1)
    play(other, steps=5)
    assert not torch.equal(pair[0].layers[0].weight, other[0].layers[0].weight)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (dict(objective=wasserstein_clipping()), "objective"),
        (dict(objective=wasserstein_gradient_penalty(5.0)), "objective"),
        (dict(noise=torch.nn.Identity()), "noise"),
        (dict(steps=41), "steps"),
        (dict(ema=0.5), "ema"),
        (dict(real=(BOW + 1, CONDITION)), "data"),
    ],
)
def test_checkpoint_of_another_game_is_not_used(tmp_path, capsys, change, named):
    path = tmp_path / "c.pt"
    play(networks(), steps=40, checkpoint=path)
    if "noise" in change:
        change["noise"] = lambda n, random: torch.zeros(n, 2)
    play(networks(), checkpoint=path, **change)
    assert f"belongs to another training, by its {named}" in capsys.readouterr().out


@pytest.mark.parametrize("saves", [1, 9, 10, 11, 12, 13, 30, 46])
def test_resume_after_any_step_gives_the_same_weights_to_the_last_bit(tmp_path, monkeypatch, saves):
    whole = networks()
    options = dict(ema=0.9, snapshots=True, checkpoint=tmp_path / "c.pt", batch_size=300)
    expected = play(whole, **options | dict(checkpoint=None))
    save = checkpoints.save
    saved = []

    def save_so_often(path, state):
        saved.append(path)
        if len(saved) > saves:
            raise MemoryError
        save(path, state)

    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)
    monkeypatch.setattr(checkpoints, "save", save_so_often)
    with pytest.raises(MemoryError):
        play(networks(), **options)
    monkeypatch.setattr(checkpoints, "save", save)
    resumed = networks()
    history = play(resumed, **options)
    assert history.curves["critic"] == expected.curves["critic"] and history.steps == expected.steps
    for one, other in zip(whole, resumed, strict=True):
        assert all(
            torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
        )
    assert history.snapshots.keys() == expected.snapshots.keys()


def test_a_critic_can_be_trained_again_after_the_generator_failed():
    class Fails(Small):
        def forward(self, *inputs):
            if self.training and torch.is_grad_enabled() and self.fails:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(*inputs)

    generator = Fails(3, 2)
    critic = Small(3, 1)
    generator.fails = True
    with pytest.raises(TrainingError, match="out of memory"):
        play((generator, critic))
    generator.fails = False
    before = critic.layers[0].weight.clone()
    play((generator, critic))
    assert not torch.equal(before, critic.layers[0].weight)


def test_images_in_bytes_are_refused():
    with pytest.raises(TrainingError, match="samples with decimals, found torch.uint8"):
        play(networks(0), real=np.zeros((50, 2), dtype=np.uint8))
