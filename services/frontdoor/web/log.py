"""The public log over HTTP, laid out as in c2sp.org/tlog-tiles; receipts is asked for each piece as it is wanted."""

import gzip
import re
from dataclasses import dataclass

from flask import Blueprint, Response, abort, request
from zwrotka.receipts.v1 import receipts_pb2
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import rpc
from services.frontdoor.web.headers import FOREVER, FRESH

TIMEOUT_S = 3.0
TILE_WIDTH = 256
TOP_LEVEL = 5  # 256**6 entries: receipts' own limit; the format allows 63
ENTRIES_LEVEL = -1  # receipts' name for a bundle of entries

# N in groups of three digits, all but the last behind an "x", the first not zero: x001/x234/067. W below 256, never 0.
_TILE = re.compile(
    r"(?:(?P<level>[0-9]|[1-5][0-9]|6[0-3])|entries)"
    r"/(?P<index>(?:x(?!000)[0-9]{3}/(?:x[0-9]{3}/){0,4})?[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5]))?"
)


@dataclass(frozen=True)
class Tile:
    """A tile's place: level (ENTRIES_LEVEL for a bundle), index on it, width in hashes or entries."""

    level: int
    index: int
    width: int


def tile_at(path: str) -> Tile | None:
    """The tile a path below tile/ names, None for any other spelling: each tile has exactly one address."""
    match = _TILE.fullmatch(path)
    if match is None:
        return None
    level = ENTRIES_LEVEL if match["level"] is None else int(match["level"])
    return Tile(level, int(re.sub("[x/]", "", match["index"])), int(match["width"] or TILE_WIDTH))


class Log:
    """The log as receipts answers for it. A failure is one of the six refusals."""

    def __init__(self, receipts: ReceiptsServiceStub) -> None:
        self._receipts = receipts

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint."""
        request = receipts_pb2.GetCheckpointRequest()
        return rpc.call(self._receipts.GetCheckpoint, request, timeout_s=TIMEOUT_S).checkpoint

    def tile(self, tile: Tile) -> bytes:
        """The tile's bytes; NotFound when the log is shorter."""
        request = receipts_pb2.GetTileRequest(level=tile.level, index=tile.index, width=tile.width)
        return rpc.call(self._receipts.GetTile, request, timeout_s=TIMEOUT_S).tile


def routes(log: Log) -> Blueprint:
    """/log/checkpoint and /log/tile/..."""
    blueprint = Blueprint("log", __name__, url_prefix="/log")

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        response = Response(log.checkpoint(), content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = FRESH
        return response

    @blueprint.get("/tile/<path:path>")
    def tile(path: str) -> Response:
        wanted = tile_at(path)
        if wanted is None or wanted.level > TOP_LEVEL:
            abort(404)
        content = log.tile(wanted)
        response = Response(content, content_type="application/octet-stream")
        response.headers["Cache-Control"] = FOREVER
        if wanted.level == ENTRIES_LEVEL:
            response.vary.add("Accept-Encoding")
            if request.accept_encodings.quality("gzip") > 0:
                response.set_data(gzip.compress(content, mtime=0))
                response.content_encoding = "gzip"
        return response

    return blueprint
