"""What the checks of all exercises share: refuse an attempt in one sentence, call it in many ways.

A check calls an attempt with `call`, compares what it returns with `require_right`, which names the
slips that it knows (or with `refuse` and `require_close`), and tries further inputs: of a function
with `require_like`, of a network with `require_network`. `number`, `array`, `tensor` and `each`
make what an attempt returns into what the cells below an exercise expect.
"""

from helpers.exercises.require.calls import (
    attempt_for,
    call,
    require_gradients,
    require_like,
    twice,
)
from helpers.exercises.require.networks import require_bends, require_network
from helpers.exercises.require.orders import require_random_orders
from helpers.exercises.require.results import (
    NotYet,
    array,
    each,
    number,
    refuse,
    require,
    require_close,
    require_right,
    returning,
    same,
    tensor,
)

__all__ = [
    "NotYet",
    "array",
    "attempt_for",
    "call",
    "each",
    "number",
    "refuse",
    "require",
    "require_bends",
    "require_close",
    "require_gradients",
    "require_like",
    "require_network",
    "require_random_orders",
    "require_right",
    "returning",
    "same",
    "tensor",
    "twice",
]
