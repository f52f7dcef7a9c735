"""A kept gRPC channel by mutual TLS, with a deadline on every call and patience for restarts."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from zwrotka_client.errors import Unavailable, refusal_from

T = TypeVar("T")
Answer = TypeVar("Answer", bound=Message)
log = logging.getLogger("zwrotka_client")

MAX_MESSAGE_BYTES = 48 << 20
CALL_S = 15.0
_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A service that was just restarted is looked for again at once, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class Channel:
    """A channel to one service, kept open: a new one costs 5 ms, a call on it 1 ms."""

    def __init__(self, address: str, certificate: Path, key: Path | None = None, ca: Path | None = None) -> None:
        """`address` is "host:port"; `key` and `ca` default to the .key and ca.pem beside the certificate (PEM)."""
        self.address = address
        credentials = grpc.ssl_channel_credentials(
            root_certificates=(ca or certificate.with_name("ca.pem")).read_bytes(),
            private_key=(key or certificate.with_suffix(".key")).read_bytes(),
            certificate_chain=certificate.read_bytes(),
        )
        self.grpc = grpc.secure_channel(address, credentials, options=_OPTIONS)

    def call(
        self,
        method: Callable[..., Answer],
        request: Message,
        *,
        timeout_s: float = CALL_S,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Calls a stub's method once; a failure comes out as a Refusal."""
        try:
            return method(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            raise refusal_from(error, self.address) from error

    def close(self) -> None:
        """Closes the channel; calls still running end."""
        self.grpc.close()


def pauses(first_s: float = 0.1, longest_s: float = 3.0) -> Iterator[float]:
    """Seconds to wait before each next attempt: doubling, with jitter, so that clients do not come back in step."""
    limit_s = first_s
    while True:
        yield random.uniform(limit_s / 2, limit_s)  # noqa: S311 (spreads load, hides nothing)
        limit_s = min(2 * limit_s, longest_s)


def persistently(attempt: Callable[[float], T], patience_s: float) -> T:
    """Repeats `attempt` while it is Unavailable, for at most `patience_s`; only for what may be repeated.

    `attempt` takes its own deadline in seconds; the last Unavailable is raised.
    """
    give_up_at = time.monotonic() + patience_s
    for number, pause_s in enumerate(pauses()):
        try:
            return attempt(max(give_up_at - time.monotonic(), 1.0))
        except Unavailable:
            if time.monotonic() + pause_s >= give_up_at:
                raise
            if number == 0:
                log.info("the service does not answer; trying again for %g s", patience_s)
        time.sleep(pause_s)
    raise AssertionError("pauses never end")
