"""Samples on the device or streamed: the same batches in the same order; precision, compilation."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn

from helpers.training import Rows, fit, predict
from helpers.training.batches import Samples, in_order, n_batches, shuffled
from helpers.training.devices import compiled, default_fabric

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(103, 2, 8, 8)).astype(np.float32)
TARGETS = IMAGES.mean(axis=(1, 2, 3))[:, None]


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.mark.parametrize("shares", [1, 2, 3])
@pytest.mark.parametrize("n", [7, 31, 32, 33, 34, 64, 65, 100])
def test_shares_of_a_batch_have_two_rows_at_least(n, shares):
    batches = shuffled(n, 32, torch.Generator().manual_seed(0), shares)
    assert sorted(torch.cat(batches).tolist()) == list(range(n))
    assert len(batches) == n_batches(n, 32, shares)
    assert min(len(rows[rank::shares]) for rows in batches for rank in range(shares)) >= 2


def test_whole_batches_only():
    batches = shuffled(103, 25, torch.Generator().manual_seed(0), whole=True)
    assert [len(rows) for rows in batches] == [25] * 4
    assert [
        len(rows) for rows in shuffled(7, 25, torch.Generator().manual_seed(0), whole=True)
    ] == [7]


@pytest.mark.parametrize("channels_last", [False, True])
def test_batches_are_the_rows_asked_for_whatever_the_memory(mapped, channels_last):
    rows = shuffled(103, 20, torch.Generator().manual_seed(0))
    resident = Samples((IMAGES, TARGETS), CPU, channels_last)
    streamed = Samples((mapped, TARGETS), CPU, channels_last)
    assert streamed.streamed and not resident.streamed
    for chosen, a, b in zip(rows, resident.batches(rows), streamed.batches(rows), strict=True):
        for batch in (a, b):
            assert np.array_equal(batch[0].numpy(), IMAGES[chosen]) and np.array_equal(
                batch[1], TARGETS[chosen]
            )
        assert a[0].is_contiguous(
            memory_format=torch.channels_last if channels_last else torch.contiguous_format
        )
    for samples in (resident, streamed):
        ordered = torch.cat([batch[0] for batch in samples.batches(in_order(103, 20))])
        assert np.array_equal(ordered.numpy(), IMAGES)
        assert np.array_equal(samples.tensors(slice(3, 5))[0].numpy(), IMAGES[3:5])


def test_rows_of_a_file_are_read_when_needed(mapped):
    chosen = RNG.permutation(103)[:40]
    part = Rows(mapped, chosen)
    assert len(part) == 40 and np.array_equal(part.read(np.array([5, 0])), IMAGES[chosen[[5, 0]]])
    batch = next(Samples(part, CPU).batches([torch.arange(40)]))
    assert np.array_equal(batch[0], IMAGES[chosen])
    tail = mapped[50:]  # a view of the file
    assert np.array_equal(Samples(tail, CPU).tensors(slice(0, 3))[0], IMAGES[50:53])


def test_rows_by_mask_and_rows_of_rows(mapped):
    mask = np.arange(103) % 3 == 0
    part = Rows(mapped, mask)
    assert np.array_equal(part.read(np.arange(len(part))), IMAGES[mask])
    assert np.array_equal(Rows(part, [2, 0]).read(np.arange(2)), IMAGES[mask][[2, 0]])
    with pytest.raises(ValueError, match="mask of 103 rows, found 50"):
        Rows(mapped, mask[:50])


def test_a_file_in_another_order_is_not_copied_whole(tmp_path):
    np.save(tmp_path / "f.npy", np.asfortranarray(RNG.normal(size=(4000, 1000))))
    array = np.load(tmp_path / "f.npy", mmap_mode="r")
    tracemalloc.start()
    values = Rows(array).read(np.array([7, 3]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(values, np.load(tmp_path / "f.npy")[[7, 3]]) and peak < 1e6 < array.nbytes


def test_arrays_with_negative_strides_are_taken():
    assert np.array_equal(Samples(IMAGES[:, ::-1], CPU).tensors(slice(0, 2))[0], IMAGES[:2, ::-1])


def test_scaled_gradients_can_be_clipped():
    """What a GPU without bfloat16 gets, tried on the CPU."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu", scaler))
    history = train(IMAGES, fabric=fabric, clip_norm=1.0, epochs=5, learning_rate=1e-2)[1]
    assert history.curves["training"][-1] < history.curves["training"][0]


@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_reading_never_loses_what_was_written(tmp_path, mode):
    np.save(tmp_path / "a.npy", IMAGES)
    array = np.load(tmp_path / "a.npy", mmap_mode=mode)
    if mode != "r":
        array[3] = 7.0
    samples = Samples(array, CPU)
    for _ in range(2):
        assert np.all(
            samples.tensors(slice(3, 4))[0].numpy() == (IMAGES[3] if mode == "r" else 7.0)
        )


def test_big_endian_and_integer_files_are_streamed_as_numbers(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(12, dtype=">f8").reshape(6, 2))
    np.save(tmp_path / "b.npy", np.arange(6, dtype="int16"))
    arrays = [np.load(tmp_path / name, mmap_mode="r") for name in ("a.npy", "b.npy")]
    a, b = next(Samples(arrays, CPU).batches([torch.tensor([5, 1])]))
    assert a.dtype == torch.float32 and a.tolist() == [[10, 11], [2, 3]]
    assert b.dtype == torch.int64 and b.tolist() == [5, 1]


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 1))


def train(inputs, **options):
    model = network()
    options = dict(loss=nn.functional.mse_loss, epochs=3, batch_size=20, progress=False) | options
    history = fit(model, (inputs, TARGETS), (inputs[:30], TARGETS[:30]), **options)
    return model, history


def test_training_from_a_file_gives_the_same_bits(mapped):
    resident, one = train(IMAGES)
    streamed, other = train(mapped)
    assert one.curves["training"] == other.curves["training"]
    assert np.allclose(
        one.curves["validation"], other.curves["validation"], rtol=1e-5
    )  # of batches of another size
    assert all(
        torch.equal(a, b) for a, b in zip(resident.parameters(), streamed.parameters(), strict=True)
    )
    assert np.array_equal(predict(resident, IMAGES), predict(streamed, mapped))


def test_channels_last_changes_the_order_in_memory_only():
    plain, one = train(IMAGES)
    last, other = train(IMAGES, channels_last=True)
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert np.allclose(one.curves["training"], other.curves["training"], rtol=1e-4)
    assert np.allclose(predict(plain, IMAGES), predict(last, IMAGES), atol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux")
def test_peak_memory_does_not_grow_with_the_file(tmp_path):
    """Two epochs over a sparse file of 1 GB, on the way to which no page may stay in memory."""
    script = (
        "import sys, numpy as np, torch; from pathlib import Path\n"
        "from torch import nn\n"
        "from helpers.training import fit\n"
        "torch.set_num_threads(1)\n"
        "x = np.lib.format.open_memmap(sys.argv[1], 'w+', 'f4', (2000, 131072)); del x\n"
        "x = np.load(sys.argv[1], mmap_mode='r')\n"
        "model = nn.Sequential(nn.AvgPool1d(1024), nn.Linear(128, 1))\n"
        "options = dict(loss=nn.functional.mse_loss, batch_size=32, progress=False)\n"
        "said = Path('/proc/self/status')\n"
        "peak = lambda: int(said.read_text().split('VmHWM:')[1].split()[0]) // 1024\n"
        "fit(model, (x[:50], np.zeros((50, 1))), epochs=1, **options)\n"
        "before = peak()\n"
        "fit(model, (x, np.zeros((2000, 1))), epochs=2, **options)\n"
        "print(before, peak())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "x.npy"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    before, after = map(int, done.stdout.split())
    assert after - before < 250, f"grew from {before} to {after} MB"


def test_half_precision_is_single_on_a_cpu():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert default_fabric(True).strategy.precision.precision == "32-true"
    one = train(IMAGES)[1]
    other = train(IMAGES, mixed=True)[1]
    assert one.curves["training"] == other.curves["training"]


def test_a_network_that_cannot_be_compiled_runs_as_it_is(monkeypatch, capsys):
    def broken(model, **options):
        raise OSError("no compiler")

    monkeypatch.setattr(torch, "compile", broken)
    _, history = train(IMAGES, compile=True)
    assert (
        capsys.readouterr().out.strip()
        == "torch.compile does not work here (OSError): the network runs as it is"
    )
    assert history.curves["training"] == train(IMAGES)[1].curves["training"]


def test_a_compiled_network_learns_the_same(monkeypatch):
    """With the backend that needs no C compiler; the trial changes no weights or random state."""
    compile_ = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda model, **options: compile_(model, backend="aot_eager")
    )
    model = network()
    before = torch.get_rng_state()
    assert compiled(model, (torch.from_numpy(IMAGES[:5]),)) is not model
    assert torch.equal(before, torch.get_rng_state())
    assert all(weight.grad is None for weight in model.parameters())
    assert np.allclose(
        train(IMAGES, compile=True)[1].curves["training"],
        train(IMAGES)[1].curves["training"],
        rtol=1e-4,
    )
