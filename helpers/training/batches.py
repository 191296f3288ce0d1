"""Data on the device: the arrays are moved there once, and a minibatch is a selection of rows."""

import numpy as np
import torch


def as_tuple(arrays):
    """Return a single array as a tuple of one, and a list or tuple of arrays as a tuple."""
    return tuple(arrays) if isinstance(arrays, list | tuple) else (arrays,)


def to_tensors(arrays, device):
    """Move arrays with the same number of rows to the device.

    Parameters
    ----------
    arrays : array or tuple of arrays
        NumPy arrays or tensors, rows first. They are copied; floating-point numbers become float32, and
        whole numbers, which stand for classes, int64.
    device : torch.device

    Returns
    -------
    tuple of torch.Tensor

    Raises
    ------
    ValueError
        If there are no rows, or if the arrays differ in their number of rows.
    """
    tensors = [_tensor(array) for array in as_tuple(arrays)]
    rows = [len(tensor) for tensor in tensors]
    if min(rows) == 0:
        raise ValueError("expected at least one sample, found none: check how the data were selected")
    if len(set(rows)) > 1:
        raise ValueError(f"expected as many inputs as targets, found {rows} rows: pass arrays of equal length")
    return tuple(tensor.to(device, copy=True) for tensor in tensors)  # a model may change what it is given


def _tensor(array):
    if not torch.is_tensor(array):
        array = np.asarray(array)
        array = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))  # FITS files are big-endian
    if array.is_floating_point():
        return array.float()
    return array.long() if array.dtype in (torch.int16, torch.int32) else array


def shuffled(n, batch_size, generator):
    """Yield the rows of each minibatch of one epoch, in an order drawn from `generator`.

    The last batch is smaller where `batch_size` does not divide `n`; one of a single row is joined to the
    batch before it, since batch normalisation cannot work on one sample.
    """
    order = torch.randperm(n, generator=generator, device=generator.device)
    yield from torch.tensor_split(order, _cuts(n, batch_size))


def n_batches(n, batch_size):
    """Return how many minibatches `shuffled` makes of `n` rows."""
    return len(_cuts(n, batch_size)) + 1


def _cuts(n, batch_size):
    cuts = list(range(batch_size, n, batch_size))
    return cuts[:-1] if cuts and n - cuts[-1] == 1 else cuts


def in_order(n, batch_size):
    """Yield slices that cover `n` rows in order."""
    for start in range(0, n, batch_size):
        yield slice(start, start + batch_size)
