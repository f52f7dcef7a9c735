"""Work that is due without anybody asking: receipts left unmade, notices that a messenger left lying."""

import threading

import structlog

from services.chassis import clock
from services.chassis.errors import Unavailable
from services.mailbox.mailroom import Mailroom

log = structlog.get_logger()
PAUSE_S = 1.0
# Younger evidence is being made by the call that accepted the letter.
MIN_AGE_MS = 10_000
# A courier that is there fetches within seconds, and tries again within 15 minutes.
UNFETCHED_MS = 3_600_000


def go(mailroom: Mailroom, stop: threading.Event) -> None:
    """Makes the rounds until told to stop. No trouble ends them."""
    while not stop.wait(PAUSE_S):
        try:
            mailroom.hand_to_mail(clock.to_ms(clock.now()) - UNFETCHED_MS)
            while mailroom.make_late_receipts(clock.to_ms(clock.now()) - MIN_AGE_MS) and not stop.is_set():
                pass
        except Unavailable as trouble:
            log.warning("receipts-still-away", reason=trouble.reason)
        except Exception as error:
            log.error("round-failed", exc_info=error)
