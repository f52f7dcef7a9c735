"""Opens the Telegram room and closes it in order."""

import asyncio
import signal
from pathlib import Path

import structlog
import telegram
from telegram.error import InvalidToken, TelegramError

from services.chassis import city
from services.chassis.settings import Settings, SettingsError
from services.frontdoor import pulse
from services.frontdoor.courier.carriers import carrier_of
from services.frontdoor.telegram.api import bot_of, kind_of
from services.frontdoor.telegram.code_mail import CodeMail
from services.frontdoor.telegram.courier import Courier
from services.frontdoor.telegram.door import Door
from services.frontdoor.telegram.house import House
from services.frontdoor.telegram.polling import Polling
from services.frontdoor.texts import chat as texts

log = structlog.get_logger()
_LONGEST_PAUSE_S = 30.0


def run(settings: Settings) -> None:
    """Takes letters and brings receipts until TERM or INT. SettingsError where there is no bot to be."""
    if not settings.telegram_token:
        raise SettingsError(
            "ZWROTKA_TELEGRAM_TOKEN is empty, so the Telegram door stays closed. "
            "Ask @BotFather in Telegram for a bot and set its token to open it."
        )
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    # Both rooms have their own timeouts, and either's death ends the other: a loop that turns is a room that works.
    beating = asyncio.create_task(pulse.go_on_beating(settings.pulse))
    work = asyncio.create_task(_work(settings))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    # Nothing needs to be finished: what is not confirmed or not settled comes again.
    stopped.cancel()
    beating.cancel()
    if work.cancel():
        await asyncio.wait((work,))
        log.info("closed")
    else:
        work.result()


async def _work(settings: Settings) -> None:
    place = city.load(Path(settings.profile))
    bot, house = bot_of(settings), House(settings)
    try:
        await _connect(bot)
        log.info("open", bot=bot.id)
        codes = CodeMail(carrier_of(settings.relay, settings.home_path / "outgoing"), place)
        door = Door(bot, house, place, codes.send)
        async with asyncio.TaskGroup() as rooms:
            rooms.create_task(Polling(bot, door.answer, door.apologise).run())
            rooms.create_task(Courier(bot, house, place).run())
    finally:
        house.close()
        await bot.shutdown()


async def _connect(bot: telegram.Bot) -> None:
    """Waits until Telegram answers."""
    pause_s = 0.5
    while True:
        try:
            await bot.initialize()
            # A webhook of an earlier life would take the updates away.
            await bot.delete_webhook()
            await bot.set_my_commands(texts.COMMANDS)
            return
        except InvalidToken:
            raise SettingsError(
                "ZWROTKA_TELEGRAM_TOKEN is not a bot's token: Telegram does not know it. Copy it anew from @BotFather."
            ) from None
        except TelegramError as error:
            log.warning("telegram-away", error=kind_of(error))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
