"""Sends the courier on its rounds until it is told to stop.

The loop is asyncio, since the relay's client is; calls and files go to threads. One round at a time: its 64 mails
leave together, so a second round at once would gain nothing.
"""

import asyncio
import signal
from pathlib import Path

import structlog
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import city, rpc
from services.chassis.errors import Refusal
from services.chassis.settings import Settings
from services.frontdoor import pulse
from services.frontdoor.courier.carriers import carrier_of
from services.frontdoor.courier.rounds import Courier

IDLE_S = 0.3
LONGEST_PAUSE_S = 5.0
STOP_S = 8.0
log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Carries notices until TERM or INT; the round that is under way is finished."""
    asyncio.run(_carry(settings))


async def _carry(settings: Settings) -> None:
    certificate = settings.home_path / "certificates" / "frontdoor.pem"
    mailbox = rpc.channel(settings.address_of("mailbox"), certificate)
    identity = rpc.channel(settings.address_of("identity"), certificate)
    carrier = carrier_of(settings.relay, settings.home_path / "outgoing")
    courier = Courier(
        MailboxServiceStub(mailbox), IdentityServiceStub(identity), carrier, city.load(Path(settings.profile))
    )
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    log.info("open")
    rounds = asyncio.create_task(_rounds(courier, stop, settings.pulse))
    await stop.wait()
    await asyncio.wait([rounds], timeout=STOP_S)
    mailbox.close()
    identity.close()
    log.info("closed")


async def _rounds(courier: Courier, stop: asyncio.Event, sign: str) -> None:
    pause_s = IDLE_S
    while not stop.is_set():
        try:
            pulse.beat(sign)
            carried = await courier.round()
            pause_s = 0.0 if carried else IDLE_S
        except Exception as error:
            pause_s = min(2 * max(pause_s, IDLE_S), LONGEST_PAUSE_S)
            if isinstance(error, Refusal):
                log.warning("round-failed", reason=error.reason)
            else:
                log.error("unexpected", exc_info=error)
        if pause_s:
            try:
                await asyncio.wait_for(stop.wait(), pause_s)
            except TimeoutError:
                continue
