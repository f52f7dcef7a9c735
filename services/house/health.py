"""Asks every process whether it serves: gRPC health over mutual TLS, the mail door's banner, the web's /zdrowie; of who
has no port, the file it touches."""

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis import rpc
from services.chassis.errors import Refusal
from services.chassis.settings import Settings

ROLES = ("identity", "receipts", "mailbox", "mail", "web")
_TIMEOUT_S = 2.0
_PULSE_S = 120.0  # a round of the courier ends within a minute


def serves(settings: Settings, role: str) -> bool:
    """Whether the role answers now."""
    try:
        return _CHECKS.get(role, _service_serves)(settings, role)
    except (Refusal, OSError, http.client.HTTPException):
        return False


def wait(settings: Settings, *, timeout_s: float) -> Iterator[tuple[str, float]]:
    """(role, seconds it took) as each comes to answer; TimeoutError names those that did not."""
    started_at = time.monotonic()
    missing = list(ROLES)
    while missing:
        for role in [each for each in missing if serves(settings, each)]:
            missing.remove(role)
            yield role, time.monotonic() - started_at
        if missing and time.monotonic() - started_at > timeout_s:
            raise TimeoutError(", ".join(missing))
        time.sleep(0.05)


def _service_serves(settings: Settings, role: str) -> bool:
    certificate = settings.home_path / "certificates" / f"{role}.pem"
    # Its own port, not the address others reach it by: behind that may be other copies of it.
    with rpc.channel(f"{_host(settings)}:{settings.port_of(role)}", certificate) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        answer: health_pb2.HealthCheckResponse = rpc.call(check, health_pb2.HealthCheckRequest(), timeout_s=_TIMEOUT_S)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def _mail_serves(settings: Settings, _role: str) -> bool:
    with socket.create_connection((_host(settings), settings.smtp_port), _TIMEOUT_S) as door:
        door.settimeout(_TIMEOUT_S)
        banner = door.recv(512)
        door.sendall(b"QUIT\r\n")
    return banner.startswith(b"220")


def _web_serves(settings: Settings, _role: str) -> bool:
    door = http.client.HTTPConnection(_host(settings), settings.web_port, timeout=_TIMEOUT_S)
    try:
        door.request("GET", "/zdrowie")
        return door.getresponse().status == 200
    finally:
        door.close()


def _has_pulse(settings: Settings, _role: str) -> bool:
    return bool(settings.pulse) and time.time() - Path(settings.pulse).stat().st_mtime < _PULSE_S


def _host(settings: Settings) -> str:
    return "127.0.0.1" if settings.listen == "0.0.0.0" else settings.listen


_CHECKS: dict[str, Callable[[Settings, str], bool]] = {
    "mail": _mail_serves,
    "web": _web_serves,
    "courier": _has_pulse,
    "telegram": _has_pulse,
}
