"""Opens the mail door and closes it in order."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

import structlog
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import city, rpc
from services.chassis.settings import Settings
from services.frontdoor.mail.conversation import Conversation
from services.frontdoor.mail.door import Deposits, Door

DRAIN_S = 8.0
log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serves SMTP until TERM or INT."""
    # The engine logs commands with the addresses in them.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    place = city.load(Path(settings.profile))
    channel = rpc.channel(settings.address_of("mailbox"), settings.home_path / "certificates" / "frontdoor.pem")
    units = {mailbox: unit.code for mailbox, unit in place.unit_by_mailbox.items()}
    door = Door(Deposits(MailboxServiceStub(channel)), units, place.domain, settings.budget_bytes)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_note)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    server = await loop.create_server(
        lambda: Conversation(door, loop), settings.listen, settings.smtp_port, backlog=512
    )
    log.info("open", port=settings.smtp_port)
    await stop.wait()
    await door.drain(DRAIN_S)
    server.close()
    for conversation in list(door.conversations):
        conversation.hang_up(Door.CLOSING)
    channel.close()
    log.info("closed")


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A sender that went away is no event; anything else in a callback is."""
    error = context.get("exception")
    if not isinstance(error, ConnectionError):
        log.error("unexpected", what=context["message"], exc_info=error)
