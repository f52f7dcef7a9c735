"""Ports for the suite's processes."""

import os
import random
import socket

# Not the module's own dice: hypothesis throws those alike in every worker.
_DICE = random.SystemRandom()
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_given: set[int] = set()


def free_port() -> int:
    """A loopback port nobody listens on, given to no other test of this run, below those the kernel hands out: it stays
    free over a restart."""
    while True:
        port = _DICE.randrange(20_000 + _WORKER, 32_000, _WORKERS)
        with socket.socket() as probe:
            if port not in _given and probe.connect_ex(("127.0.0.1", port)) != 0:
                _given.add(port)
                return port
