"""Ports for the suite's processes."""

import random
import socket


def free_port() -> int:
    """A loopback port nobody listens on, below those the kernel hands out: it stays free over a restart."""
    while True:
        port = random.randint(20_000, 31_999)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
