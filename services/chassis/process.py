"""What every process does alike: structured logs, an orderly end, its own trouble as one sentence."""

import ctypes
import logging
import signal
import sys
import threading
from collections.abc import Callable

import structlog

from services.chassis.settings import Settings, SettingsError, load


def configure_logs(role: str) -> None:
    """JSON lines on standard error. They carry ids of letters, never content, names, addresses or tokens."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='{"event": "library", "name": "%(name)s"}')
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)


def stop_event() -> threading.Event:
    """An event that TERM and INT set."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    return stop


def main(role: str, run: Callable[[Settings], None]) -> None:
    """Runs a role until it is told to stop; a setting or file that stops the start is one sentence and exit 1."""
    configure_logs(role)
    _return_large_blocks()
    try:
        run(load())
    except SettingsError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{role} cannot start: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")


def _return_large_blocks() -> None:
    """Keeps memory of large letters out of the heap, so that freeing it gives it back to the system.

    glibc raises its threshold by itself after the first large block, and then 50 letters of 20 MB leave the mail
    door at 400 MB; with a fixed one its peak is 240 MB and it goes back to 70. No other C library has the call.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(-3, 1 << 20)  # M_MMAP_THRESHOLD, bytes
