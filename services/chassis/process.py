"""What every process does alike: structured logs, an orderly end, its own trouble as one sentence."""

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
    try:
        run(load())
    except SettingsError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{role} cannot start: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
