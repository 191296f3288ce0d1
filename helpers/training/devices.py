"""Which device and precision a run has, and compiled networks."""

import copy
import os
from functools import lru_cache

import torch
from lightning_fabric import Fabric


def default_fabric(mixed=False):
    """Return the Fabric of this process: the GPU if there is one, else the CPU; what ``fabric run`` says goes first.

    Parameters
    ----------
    mixed : bool
        Half precision where the device gains from it: bfloat16 on GPUs that calculate with it, else float16 with
        scaled gradients; on a CPU, single precision all the same.
    """
    precision = "32-true"
    if mixed and torch.cuda.is_available():
        precision = "bf16-mixed" if torch.cuda.get_device_capability() >= (8, 0) else "16-mixed"
    return (
        _fabric.__wrapped__(precision) if precision == "16-mixed" else _fabric(precision)
    )  # it learns a scale


@lru_cache
def _fabric(precision):
    launched = os.environ.get("LT_CLI_USED") == "1"
    options = {} if launched else {"accelerator": "auto", "devices": 1}
    if not launched or precision != "32-true":
        options["precision"] = precision
    fabric = Fabric(**options)
    if not launched:
        fabric.launch()
    return fabric


def compiled(model, inputs):
    """Return the network compiled, or as it is where that does not work, which is said in one line.

    Parameters
    ----------
    model : torch.nn.Module
        Unchanged: the trial runs on a copy.
    inputs : tuple of torch.Tensor
        A batch to try it with, forwards and backwards.
    """
    options = {"mode": "reduce-overhead"} if inputs[0].device.type == "cuda" else {}
    devices = [inputs[0].device] if inputs[0].device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            trial = torch.compile(copy.deepcopy(model), **options)(*inputs)
            sum(
                part.float().sum() for part in (trial if isinstance(trial, tuple) else (trial,))
            ).backward()
    except Exception as error:
        print(
            f"torch.compile does not work here ({type(error).__name__}): the network runs as it is"
        )
        return model
    return torch.compile(model, **options)
