"""The HTTP server: waitress in one process, in memory only, with the house's words for every trouble."""

import socket
from collections.abc import Callable
from typing import Any, Final

from flask import Flask
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

from services.frontdoor.web.headers import PRIVATE, SECURITY

SWALLOWED_BYTES: Final = 64 << 20
MAX_HEADER_BYTES: Final = 16 << 10
RECEIVED_BYTES: Final = 64 << 10  # at once; more than any header, so that who sends too large a one sees the answer
CONNECTIONS: Final = 128  # each may hold one upload of the page's limit in memory
THREADS: Final = 4
IDLE_S: Final = 30


def listening(app: Flask, host: str, port: int, max_body_bytes: int, page: Callable[[int], str]) -> BaseWSGIServer:
    """A server that listens already; `page` words a trouble that the server finds before the application is asked."""

    class Parser(HTTPRequestParser):
        def parse_header(self, header_plus: bytes) -> None:
            try:
                super().parse_header(header_plus)
            except ValueError as error:  # of an address such as "http://[", which the parser lets through
                raise ParsingError("The address cannot be read.") from error
            if self.chunked:
                raise ParsingError("An upload says its length before it starts.")
            if max_body_bytes < self.content_length < SWALLOWED_BYTES:
                # Read to its end and thrown away: cut off in mid-upload, a browser shows a network error, not our page.
                self.body_rcv = FixedStreamReceiver(self.content_length, _Nowhere(1))

    class Trouble(ErrorTask):
        def execute(self) -> None:
            error: Any = self.request.error  # type: ignore[attr-defined]  # the stub has the wrong class
            body = page(error.code).encode()
            self.status = f"{error.code} {error.reason}"
            self.response_headers = [
                ("Content-Type", "text/html; charset=utf-8"),
                ("Cache-Control", PRIVATE),
                *SECURITY.items(),
            ]
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)

    class Channel(HTTPChannel):
        parser_class = Parser
        error_task_class = Trouble

    server = create_server(
        app,
        sockets=[socket.create_server((host, port))],
        threads=THREADS,
        ident="",
        recv_bytes=RECEIVED_BYTES,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_S,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=SWALLOWED_BYTES,
        # Above the largest body that is kept: nothing anyone uploads touches a disk.
        inbuf_overflow=SWALLOWED_BYTES,
    )
    assert isinstance(server, BaseWSGIServer)  # of one socket; several make another class
    server.channel_class = Channel
    return server


class _Nowhere(OverflowableBuffer):
    def append(self, s: bytes) -> None:
        """Forgets it."""
