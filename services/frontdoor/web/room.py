"""Opens the web door: reads the keys that anyone may know, and serves until told to stop."""

import errno
import threading
from pathlib import Path

import structlog
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import city, process, rpc
from services.chassis.settings import Settings, SettingsError
from services.frontdoor.web import pages, server
from services.frontdoor.web.log import Log

log = structlog.get_logger()
STOP_S = 3  # a page takes milliseconds, a call to receipts at most log.TIMEOUT_S


def run(settings: Settings) -> None:
    """Serves until TERM or INT."""
    stop = process.stop_event()
    home = settings.home_path
    keys = pages.Keys(
        authority_pem=(home / "certificates" / "ca.pem").read_bytes(),
        log_key=(home / "keys" / "log.vkey").read_text(encoding="utf-8").strip(),
    )
    receipts = rpc.channel(settings.address_of("receipts"), home / "certificates" / "frontdoor.pem")
    app = pages.build(
        city.load(Path(settings.profile)),
        Log(ReceiptsServiceStub(receipts)),
        keys,
        telegram_is_open=bool(settings.telegram_token),
    )
    try:
        web = server.listening(
            app, settings.listen, settings.web_port, pages.MAX_UPLOAD_BYTES, lambda code: pages.trouble_page(app, code)
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise SettingsError(
            f"ZWROTKA_WEB_PORT: port {settings.web_port} is in use. Stop what listens there, or choose another port."
        ) from error

    def serve() -> None:
        try:
            web.run()
        finally:
            stop.set()  # a server that fell over ends the process, and whoever watches it starts another

    threading.Thread(target=serve, daemon=True, name="http").start()
    log.info("open", port=settings.web_port)
    stop.wait()
    web.task_dispatcher.shutdown(timeout=STOP_S)
    receipts.close()
    log.info("closed")
