"""Which device and precision a run has, and compiled networks."""

import copy
import os
from functools import lru_cache

import torch
from lightning_fabric import Fabric

from helpers.training.batches import as_tuple

BFLOAT16 = (8, 0)  # compute capability from which on a GPU calculates with it


def default_fabric(mixed=False):
    """Return the Fabric of this process: the GPU if there is one, else the CPU.

    What ``fabric run`` says goes first.

    Parameters
    ----------
    mixed : bool
        Half precision where the device gains from it: bfloat16 on GPUs that calculate with it, else
        float16 with scaled gradients; on a CPU, single precision all the same.
    """
    if not (mixed and torch.cuda.is_available()):
        return _shared_fabric("32-true")
    if torch.cuda.get_device_capability() >= BFLOAT16:
        return _shared_fabric("bf16-mixed")
    return _new_fabric("16-mixed")  # with a scale of its own, which it learns while it trains


def _new_fabric(precision):
    launched = os.environ.get("LT_CLI_USED") == "1"
    options = {} if launched else {"accelerator": "auto", "devices": 1}
    if not launched or precision != "32-true":
        options["precision"] = precision
    fabric = Fabric(**options)
    if not launched:
        fabric.launch()
    return fabric


_shared_fabric = lru_cache(_new_fabric)


def compiled(model, inputs):
    """Return the network compiled, or as it is where that does not work, which is said in one line.

    Parameters
    ----------
    model : torch.nn.Module
        Unchanged: the trial runs on a copy.
    inputs : tuple of torch.Tensor
        A batch to try it with, forwards and backwards.
    """
    options = {}
    devices = []
    if inputs[0].device.type == "cuda":
        options["mode"] = "reduce-overhead"
        devices.append(inputs[0].device)
    try:
        with torch.random.fork_rng(devices), torch.enable_grad():
            trial = torch.compile(copy.deepcopy(model), **options)
            outputs = as_tuple(trial(*inputs))
            sum(output.float().sum() for output in outputs).backward()
    except Exception as error:
        why = type(error).__name__
        print(f"torch.compile does not work here ({why}): the network runs as it is")
        return model
    return torch.compile(model, **options)
