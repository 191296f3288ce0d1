"""`fit` and `predict`: they learn, keep the best weights, resume exactly, and fail clearly."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from helpers.training import TrainingError, checkpoints, fit, predict
from helpers.training.batches import Samples, n_batches, shuffled
from helpers.training.fingerprints import describe


@pytest.fixture
def line():
    """Inputs and targets of y = x · w + noise, training and validation."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = x @ [[1.0], [-2.0], [0.5]] + 0.1 * rng.normal(size=(400, 1))
    return (x[:300], y[:300]), (x[300:], y[300:])


def network(dropout=0.0):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(3, 16), nn.ReLU(), nn.Dropout(dropout), nn.BatchNorm1d(16), nn.Linear(16, 1)
    )


def train(model, line, **options):
    options = (
        dict(
            loss=nn.functional.mse_loss, epochs=6, batch_size=32, learning_rate=1e-2, progress=False
        )
        | options
    )
    return fit(model, *line, **options)


def test_it_learns_down_to_the_noise(line):
    model = network()
    history = train(model, line, epochs=30)
    assert len(history) == 30 == len(history.curves["validation"]) == len(history.seconds)
    residual = predict(model, line[1][0]) - line[1][1]
    assert np.sqrt(np.mean(residual**2)) < 0.25 < np.std(line[1][1])


@pytest.mark.parametrize(
    "schedule", ["one-cycle", "cosine", "constant", lambda done: 1 - 0.9 * done]
)
def test_schedules_end_where_they_should(line, schedule):
    rates = train(network(), line, epochs=5, schedule=schedule).learning_rate
    expected = {"one-cycle": 1e-2 / 25 / 1e4, "cosine": 0.0, "constant": 1e-2}.get(schedule, 1e-3)
    assert rates[-1] == pytest.approx(expected, abs=3e-5)
    assert max(rates) <= 1e-2 and (schedule == "constant" or rates[-1] < rates[1])


def norms_at_each_step(model, data, **options):
    """Train, and return the norm of the whole gradient that each step of the optimiser is given."""
    norms = []

    def measure(optimiser, *_):
        gradients = [weight.grad for group in optimiser.param_groups for weight in group["params"]]
        norms.append(nn.utils.get_total_norm(gradients).item())

    hook = register_optimizer_step_pre_hook(measure)
    train(model, data, **options)
    hook.remove()
    return norms


def test_clip_norm_bounds_the_gradient_that_an_outlier_makes(line):
    (x, y), _ = line
    far = y.copy()
    far[5] = 1e6
    data = ((x, far),)
    assert max(norms_at_each_step(network(), data)) > 1e3
    norms = norms_at_each_step(network(), data, clip_norm=0.1)
    assert len(norms) == 6 * n_batches(300, 32)
    assert max(norms) == pytest.approx(0.1, rel=1e-4)


def test_history_holds_plain_numbers(line):
    history = train(network(), line)
    assert all(
        type(x) is float
        for values in (history.curves["training"], history.curves["validation"], history.seconds)
        for x in values
    )


def test_same_seed_same_weights_and_other_seed_other_weights(line):
    models = [network(0.5) for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        train(model, line, seed=seed)
    first, again, other = ([p.detach().numpy() for p in model.parameters()] for model in models)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_best_weights_are_those_of_the_best_epoch(line):
    """With targets that are pure noise, validation gets worse while training goes on."""
    rng = np.random.default_rng(1)
    noise = [(x, rng.normal(size=y.shape)) for x, y in line]
    model = network()
    history = train(model, noise, epochs=40, schedule="constant", learning_rate=3e-2)
    assert history.best_epoch == 1 + int(np.argmin(history.curves["validation"])) < 40
    value = np.mean((predict(model, noise[1][0]) - noise[1][1]) ** 2)
    assert value == pytest.approx(min(history.curves["validation"]), rel=1e-4)
    last = network()
    assert (
        train(
            last, noise, epochs=40, schedule="constant", learning_rate=3e-2, best=False
        ).best_epoch
        is None
    )
    value = np.mean((predict(last, noise[1][0]) - noise[1][1]) ** 2)
    assert value == pytest.approx(history.curves["validation"][-1], rel=1e-4)


def test_early_stopping(line):
    rng = np.random.default_rng(1)
    noise = [(x, rng.normal(size=y.shape)) for x, y in line]
    history = train(
        network(), noise, epochs=200, schedule="constant", learning_rate=3e-2, patience=5
    )
    assert history.stopped_early
    assert len(history) == history.best_epoch + 5


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("saves", [1, 17, 20, 55])
def test_resume_after_any_step_gives_the_same_weights_to_the_last_bit(
    line, tmp_path, saves, monkeypatch
):
    """Killed processes are in test_resume.py; here every step of the way can be chosen."""
    whole = network(0.5)
    expected = train(whole, line, augment=jitter)
    save = checkpoints.save
    saved = []

    def save_so_often(path, state):
        if len(saved) == saves:
            raise Interrupted
        save(path, state), saved.append(path)

    monkeypatch.setattr(checkpoints, "SECONDS", 0)
    monkeypatch.setattr(checkpoints, "SHARE", 0)
    monkeypatch.setattr(checkpoints, "save", save_so_often)
    with pytest.raises(Interrupted):
        train(network(0.5), line, augment=jitter, checkpoint=tmp_path / "c.pt")
    monkeypatch.setattr(checkpoints, "save", save)
    torch.manual_seed(77)
    resumed = network(0.5)
    history = train(resumed, line, augment=jitter, checkpoint=tmp_path / "c.pt")
    assert history.curves["training"] == expected.curves["training"]
    assert history.curves["validation"] == expected.curves["validation"]
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def jitter(inputs, generator):
    return inputs + 0.01 * torch.randn(inputs.shape, generator=generator, device=inputs.device)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (dict(epochs=7), "epochs (6, now 7)"),
        (dict(learning_rate=2e-2), "learning_rate (0.01, now 0.02)"),
        (dict(loss=nn.functional.l1_loss), "loss:"),
        (dict(seed=5), "seed (0, now 5)"),
        (dict(clip_norm=1.0), "clip_norm (None, now 1.0)"),
        (dict(schedule="cosine"), "schedule ('one-cycle', now 'cosine')"),
        (dict(augment=jitter), "augment"),
    ],
)
def test_checkpoint_of_other_settings_is_not_used(line, tmp_path, capsys, change, named):
    path = tmp_path / "c.pt"
    train(network(), line, checkpoint=path)
    train(network(), line, checkpoint=path, **change)
    said = capsys.readouterr().out
    assert f"belongs to another training, by its {named}" in said and "kept as c-before.pt" in said
    assert train(network(), line, checkpoint=tmp_path / "c-before.pt").seconds  # nothing was lost
    assert "belongs" not in capsys.readouterr().out


def test_checkpoint_of_other_data_or_network_or_damaged_is_not_used(line, tmp_path, capsys):
    path = tmp_path / "c.pt"
    train(network(), line, checkpoint=path)
    other = ((line[0][0] + 1, line[0][1]), line[1])
    train(network(), other, checkpoint=path)
    assert "belongs to another training, by its data" in capsys.readouterr().out
    train(nn.Linear(3, 1), other, checkpoint=path)
    assert "belongs to another training, by its model" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:100])
    assert len(train(nn.Linear(3, 1), other, checkpoint=path)) == 6
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize("patience", [None, 1])
def test_finished_checkpoint_is_taken_over_and_that_is_said(line, tmp_path, capsys, patience):
    options = dict(checkpoint=tmp_path / "c.pt", epochs=40, patience=patience)
    first = network()
    again = network()
    history = train(first, line, **options)
    assert history.stopped_early == bool(patience)
    assert capsys.readouterr().out == ""
    assert train(again, line, **options).seconds == history.seconds
    assert torch.equal(first[0].weight, again[0].weight)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert (
        "c.pt holds this very training, finished" in said
        and "to train anew, delete that file" in said
    )


def test_loss_that_is_not_finite_says_so(line):
    bad = line[0][1].copy()
    bad[7] = np.nan
    with pytest.raises(
        TrainingError,
        match=r"training loss, found nan in step \d+.*1 sample.* not finite, the first in row 7",
    ):
        train(network(), ((line[0][0], bad), line[1]))


def test_no_data_and_unequal_lengths_are_errors(line):
    x, y = line[0]
    with pytest.raises(ValueError, match="found none"):
        train(network(), ((x[:0], y[:0]),))
    with pytest.raises(ValueError, match=r"\[300, 299\] rows"):
        train(network(), ((x, y[1:]),))
    with pytest.raises(ValueError, match="one-cycle"):
        train(network(), line, schedule="linear")


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x, scale):
        return self.layer(x) * scale, self.layer.weight.expand(len(x), -1)


def test_several_inputs_targets_and_outputs(line):
    (x, y), _ = line
    weights = np.full((300, 1), 2.0)
    seen = []

    def loss(output, target, weight):
        seen.append((target.shape[0], weight.unique().item()))
        return (weight * (output[0] - target) ** 2).mean()

    model = TwoInputs()
    train(model, (((x, np.ones((300, 1))), (y, weights)),), loss=loss, epochs=2)
    assert sum(n for n, _ in seen[1:]) == 600 and {w for _, w in seen} == {2.0}
    first, second = predict(model, (x, np.ones((300, 1))), batch_size=7)
    assert first.shape == (300, 1) and second.shape == (300, 3)
    assert np.allclose(first, x @ second[0][:, None] + model.layer.bias.item(), atol=1e-5)


def test_predict_does_not_depend_on_the_batch_size_and_keeps_the_order(line):
    model = network(0.5)
    values = [predict(model, line[0][0], batch_size=size) for size in (1, 7, 1024)]
    assert np.allclose(values[0], values[1], atol=1e-6) and np.allclose(
        values[0], values[2], atol=1e-6
    )


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 100])
def test_an_epoch_visits_every_row_once_and_never_one_alone(n):
    batches = list(shuffled(n, 32, torch.Generator().manual_seed(0)))
    assert sorted(torch.cat(batches).tolist()) == list(range(n))
    assert len(batches) == n_batches(n, 32)
    assert min(len(batch) for batch in batches) > 1 or n == 1


def test_floating_point_becomes_float32_and_classes_stay_whole():
    a, b = Samples((np.zeros(3), np.arange(3)), torch.device("cpu")).tensors(slice(None))
    assert a.dtype == torch.float32 and b.dtype == torch.int64


def scaled_loss(scale):
    return lambda prediction, target: scale * nn.functional.mse_loss(prediction, target)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scaled_loss(1.0), scaled_loss(2.0)),
        (
            partial(nn.functional.huber_loss, delta=1.0),
            partial(nn.functional.huber_loss, delta=2.0),
        ),
        (nn.HuberLoss(delta=1.0), nn.HuberLoss(delta=2.0)),
        (
            partial(nn.functional.mse_loss, weight=torch.ones(2)),
            partial(nn.functional.mse_loss, weight=torch.zeros(2)),
        ),
    ],
)
def test_losses_count_by_what_they_hold(one, other):
    assert describe(one) == describe(one)
    assert describe(one) != describe(other)


WEIGHT = 1.0


def weighted(prediction, target):
    return WEIGHT * nn.functional.mse_loss(prediction, target)


class Scaled(nn.Linear):
    def __init__(self, scale):
        super().__init__(3, 1)
        self.scale = scale

    def loss(self, prediction, target):
        return nn.functional.mse_loss(prediction, self.scale * target)

    def other(self, prediction, target):
        return nn.functional.l1_loss(prediction, target)


def test_a_function_counts_by_the_numbers_that_it_reads(monkeypatch):
    before = describe(weighted)
    assert describe(weighted) == before
    monkeypatch.setitem(globals(), "WEIGHT", 2.0)
    assert describe(weighted) != before


def test_methods_and_lambdas_count_by_what_they_do():
    one = Scaled(1.0)
    two = Scaled(2.0)
    two.load_state_dict(one.state_dict())
    assert describe(one.loss) != describe(one.other) and describe(one.loss) != describe(two.loss)
    same = (
        [describe(lambda p, y: (p - y).abs().mean()), 0][0],
        [0, 1, describe(lambda p, y: (p - y).abs().mean())][2],
    )
    assert same[0] == same[1] != describe(lambda p, y: (p - y).square().mean())
    assert "0x" not in describe(np.random.default_rng(0))


@pytest.mark.parametrize("other", [Scaled(2.0), nn.Linear(3, 1), Scaled(1.0).requires_grad_(False)])
def test_network_with_another_number_class_or_frozen_part_is_another(line, tmp_path, capsys, other):
    path = tmp_path / "c.pt"
    train(Scaled(1.0), line, checkpoint=path)
    if not other.weight.requires_grad:
        other.bias.requires_grad_(True)
    train(other, line, checkpoint=path)
    assert "belongs to another training, by its model" in capsys.readouterr().out


def test_network_with_spectral_normalisation_is_taken_up(line, tmp_path, capsys):
    for _ in "ab":
        torch.manual_seed(1)
        model = nn.Sequential(
            torch.nn.utils.parametrizations.spectral_norm(nn.Linear(3, 8)), nn.Linear(8, 1)
        )
        train(model, line, checkpoint=tmp_path / "c.pt")
    train(model, line, checkpoint=tmp_path / "c.pt")
    assert capsys.readouterr().out.count("finished: its result is taken over") == 2


class Other(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def test_checkpoint_of_another_forward_or_other_buffers_is_not_used(line, tmp_path, capsys):
    path = tmp_path / "c.pt"
    train(nn.Linear(3, 1), line, checkpoint=path)
    train(Other(3, 1), line, checkpoint=path)
    assert "belongs to another training, by its model" in capsys.readouterr().out
    model = network()
    model.register_buffer("unit", torch.ones(1))
    train(model, line, checkpoint=path)
    capsys.readouterr()
    train(
        model, line, checkpoint=path
    )  # its weights and running statistics have changed since the first call
    assert "finished: its result is taken over" in capsys.readouterr().out
    model.unit += 1
    train(model, line, checkpoint=path)
    assert "by its initial weights (" in capsys.readouterr().out


class InPlace(nn.Linear):
    def forward(self, x):
        x -= 0.5
        return super().forward(x)


def test_a_model_that_changes_its_input_changes_no_data(line):
    x = torch.ones(50, 3)
    model = InPlace(3, 1)
    first = predict(model, x)
    assert torch.equal(x, torch.ones(50, 3)) and np.array_equal(predict(model, x), first)
    frozen = train(model, line, epochs=3, learning_rate=1e-12)
    assert frozen.curves["validation"][0] == pytest.approx(frozen.curves["validation"][2], rel=1e-5)


def test_lazy_layers_learn_their_sizes(line):
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
    history = train(model, line, epochs=20)
    assert history.curves["validation"][-1] < 0.5 * np.var(line[1][1])


def test_validation_loss_that_is_not_finite_says_so(line):
    bad = line[1][1].copy()
    bad[3] = np.nan
    with pytest.raises(
        TrainingError, match="finite validation loss, found nan in epoch 1: .* the first in row 3"
    ):
        train(network(), (line[0], (line[1][0], bad)))
    with pytest.raises(ValueError, match="batch_size of at least 1, found 0"):
        train(network(), line, batch_size=0)


def test_arrays_of_fits_files_and_small_integers_are_taken():
    arrays = (np.arange(3, dtype=">f8"), np.arange(3, dtype="int32"))
    a, b = Samples(arrays, torch.device("cpu")).tensors(slice(None))
    assert a.tolist() == [0, 1, 2] and a.dtype == torch.float32 and b.dtype == torch.int64
