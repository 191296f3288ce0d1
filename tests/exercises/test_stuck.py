"""A call in C, which no signal ends, is announced in a notebook while it lasts."""

import sys

import pytest
from jupyter_client.manager import KernelManager

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no mutex of POSIX")

# The attempt waits for a mutex that it holds itself, which no signal ends either, until another
# thread finds the file by which the test says that it has read the announcement.
CELL = """
import ctypes, os, threading, time
from helpers.exercises import answers, exercise

answers.SECONDS = 0.05
library = ctypes.CDLL(None)
mutex = ctypes.create_string_buffer(256)
library.pthread_mutex_init(mutex, None)
library.pthread_mutex_lock(mutex)

def release():
    while not os.path.exists({seen!r}):
        time.sleep(0.01)
    library.pthread_mutex_unlock(mutex)

threading.Thread(target=release).start()

@exercise("06.encode_shape")
def encode_shape(ellipticity, angle):
    library.pthread_mutex_lock(mutex)
"""
PATIENCE = 120  # s, for what a loaded machine does later; nothing is asserted about time


@pytest.fixture
def client():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def printed(client, request):
    """Yield what a cell prints, until it is done."""
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            yield content["text"]
        elif content.get("execution_state") == "idle":
            return


@pytest.mark.slow
def test_a_call_in_c_is_announced_below_its_cell_while_it_lasts(client, tmp_path):
    seen = tmp_path / "seen"
    request = client.execute(CELL.format(seen=str(seen)))
    texts = []
    for text in printed(client, request):
        texts.append(text)
        if "06.encode_shape is still running" in "".join(texts):
            seen.touch()  # not before
    said = "".join(texts)
    assert "To interrupt it: Kernel → Interrupt" in said
    assert said.index("still running") < said.index("✗ 06.encode_shape — not yet")
