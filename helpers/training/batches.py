"""Samples on the device: moved there once, or streamed from a file, and selected by row."""

import mmap
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

AHEAD = 2  # batches that are read from the disk while the network works on one
SMALL = (torch.int8, torch.int16, torch.int32)  # whole numbers that stand for classes


def as_tuple(arrays):
    """Return a single array as a tuple of one, and a list or tuple of arrays as a tuple."""
    return tuple(arrays) if isinstance(arrays, list | tuple) else (arrays,)


class Rows:
    """Chosen rows of a memory-mapped array, read only when they are needed.

    Indexing a `numpy.memmap` with a list of rows copies them into memory; this does not, so that
    the training and validation rows of a file larger than memory can be told apart.

    Parameters
    ----------
    array : numpy.memmap, shape (n, ...)
    rows : array of int or bool, optional
        Numbers of rows, or a mask; all rows where it is not given.
    """

    def __init__(self, array, rows=None):
        rows = np.arange(len(array)) if rows is None else np.asarray(rows)
        if rows.dtype == bool and len(rows) != len(array):
            raise ValueError(
                f"expected a mask of {len(array)} rows, found {len(rows)}: make it from the same "
                "array"
            )
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        if isinstance(array, Rows):
            rows = array.rows[rows]
            array = array.array
        self.array = array
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def read(self, rows):
        """Return these rows as a NumPy array, in this order, and give the file's pages back."""
        values = np.asarray(self.array)[self.rows[rows]]
        mapped = _mapping(self.array)
        if getattr(self.array, "mode", "") == "r" and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)  # else each page that was read counts as memory used
        return values.astype(values.dtype.newbyteorder("="), copy=False)


def _mapping(array):
    """The `mmap.mmap` of the file that an array is a view of."""
    while array is not None:
        mapped = getattr(array, "_mmap", None)
        if mapped is not None:
            return mapped
        array = getattr(array, "base", None)
    return None


class Samples:
    """The samples of one set, as batches on a device.

    Arrays are copied to the device at once; a `numpy.memmap`, or `Rows` of one, stays on the disk,
    and its rows are read by a thread while the network works on the batch before. Floating-point
    numbers become float32, and whole numbers, which stand for classes, int64.

    Parameters
    ----------
    arrays : array or tuple of arrays
        NumPy arrays, tensors, memory-mapped arrays or `Rows`, with the same number of rows.
    device : torch.device
    channels_last : bool
        Give images, shape (n, channels, height, width), in the memory order `torch.channels_last`.

    Raises
    ------
    ValueError
        If there are no rows, or if the arrays differ in their number of rows.
    """

    def __init__(self, arrays, device, channels_last=False):
        arrays = [
            Rows(array) if isinstance(array, np.memmap) else array for array in as_tuple(arrays)
        ]
        lengths = [len(array) for array in arrays]
        if min(lengths) == 0:
            raise ValueError(
                "expected at least one sample, found none: check how the data were selected"
            )
        if len(set(lengths)) > 1:
            raise ValueError(
                f"expected as many inputs as targets, found {lengths} rows: pass arrays of equal "
                "length"
            )
        self.device = device
        self.channels_last = channels_last
        self.n = lengths[0]
        self.arrays = [
            array if isinstance(array, Rows) else self._resident(array) for array in arrays
        ]
        self.streamed = any(isinstance(array, Rows) for array in self.arrays)

    def __len__(self):
        return self.n

    @property
    def rows_on(self):
        """Where rows are numbered: on the device, or on the CPU where a thread reads them."""
        return torch.device("cpu") if self.streamed else self.device

    def _resident(self, array):
        tensor = array if torch.is_tensor(array) else as_tensor(array)
        tensor = as_numbers(tensor).to(self.device, copy=True)
        if self.channels_last and tensor.ndim == 4:
            tensor = tensor.contiguous(memory_format=torch.channels_last)
            tensor = tensor.permute(0, 2, 3, 1)  # so that what belongs to a row lies together
        return tensor

    def batches(self, row_sets):
        """Yield a tuple of tensors for each set of rows (an index tensor on `rows_on`, or a slice).

        The tensors are copies: a model that changes its input changes no data.
        """
        if not self.streamed:
            for rows in row_sets:
                yield self._select(rows, [None] * len(self.arrays))
            return
        with ThreadPoolExecutor(1) as reader:
            waiting = deque()
            for rows in row_sets:
                waiting.append((rows, reader.submit(self._read, rows)))
                if len(waiting) > AHEAD:
                    rows, read = waiting.popleft()
                    yield self._select(rows, read.result())
            for rows, read in waiting:
                yield self._select(rows, read.result())

    def _read(self, rows):
        """Read what lies on the disk, in another thread; None for each array that does not."""
        rows = np.arange(self.n)[rows] if isinstance(rows, slice) else rows.numpy()
        values = []
        for array in self.arrays:
            value = None
            if isinstance(array, Rows):
                value = as_tensor(array.read(rows))
                if self.device.type == "cuda":
                    value = value.pin_memory()
            values.append(value)
        return values

    def _select(self, rows, read):
        if torch.is_tensor(rows):
            rows = rows.to(self.device, non_blocking=True)
        tensors = []
        for array, value in zip(self.arrays, read, strict=True):
            if value is None:
                tensors.append(self._rows_of(array, rows))
            else:
                tensors.append(as_numbers(value.to(self.device, non_blocking=True)))
        return tuple(tensors)

    def _rows_of(self, tensor, rows):
        by_slice = isinstance(rows, slice)
        chosen = tensor[rows].clone() if by_slice else tensor.index_select(0, rows)
        if self.channels_last and tensor.ndim == 4:
            chosen = chosen.permute(0, 3, 1, 2)
        return chosen

    def tensors(self, rows):
        """Return one set of rows, read without a thread."""
        read = self._read(rows) if self.streamed else [None] * len(self.arrays)
        return self._select(rows, read)


def as_tensor(array):
    """Return a NumPy array, of any byte order, as a tensor on the CPU."""
    array = np.asarray(array)
    return torch.from_numpy(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")))


def as_numbers(tensor):
    """Return numbers as float32, whole ones as int64; bytes and truth values as they are."""
    if tensor.is_floating_point():
        return tensor.float()
    return tensor.long() if tensor.dtype in SMALL else tensor


def shuffled(n, batch_size, generator, shares=1, whole=False, device="cpu"):
    """Return the rows of each minibatch of one epoch, in an order drawn from `generator`.

    Parameters
    ----------
    n, batch_size : int
    generator : torch.Generator
        On the CPU, so that the order is the same whatever the device.
    shares : int
        Processes that a batch is shared among; each is given two rows at least.
    whole : bool
        Leave out what does not fill a batch at the end, unless it is all there is.
    device : torch.device
        Where the rows are needed: all are moved there at once.

    Returns
    -------
    tuple of torch.Tensor
        The last is smaller where `batch_size` does not divide `n`. If it holds fewer than two rows
        a share, it is joined to the one before, since batch normalisation cannot work on one
        sample.
    """
    order = torch.randperm(n, generator=generator).to(device)
    batches = order.split(batch_sizes(n, batch_size, shares))
    partial = len(batches) > 1 and len(batches[-1]) != batch_size
    return batches[:-1] if whole and partial else batches


def batch_sizes(n, batch_size, shares=1):
    """Return how many rows each of the minibatches holds that `shuffled` makes of `n` rows."""
    full, rest = divmod(n, batch_size)
    sizes = [batch_size] * full
    if sizes and 0 < rest < 2 * shares:
        sizes[-1] += rest
    elif rest:
        sizes.append(rest)
    return sizes


def n_batches(n, batch_size, shares=1):
    """Return how many minibatches `shuffled` makes of `n` rows."""
    return len(batch_sizes(n, batch_size, shares))


def in_order(n, batch_size):
    """Yield slices that cover `n` rows in order."""
    for start in range(0, n, batch_size):
        yield slice(start, start + batch_size)
