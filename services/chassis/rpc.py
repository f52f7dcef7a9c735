"""gRPC, both ends: mutual TLS, deadlines, rights, and refusals that come out as the class they went in."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import structlog
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from services.chassis.errors import AlreadyExists, Forbidden, Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from services.chassis.settings import Settings

Answer = TypeVar("Answer", bound=Message)
Rights = Mapping[str, frozenset[str]]
log = structlog.get_logger()

MAX_MESSAGE_BYTES = 48 << 20
MAX_DEADLINE_S = 3600
SESSION_KEY = "zwrotka-session"
_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A second process on the same port must be an error here, not a silent sharing of callers.
    ("grpc.so_reuseport", 0),
]
_CODES: dict[type[Refusal], int] = {
    Invalid: code_pb2.INVALID_ARGUMENT,
    Unauthenticated: code_pb2.UNAUTHENTICATED,
    Forbidden: code_pb2.PERMISSION_DENIED,
    NotFound: code_pb2.NOT_FOUND,
    AlreadyExists: code_pb2.ALREADY_EXISTS,
    Unavailable: code_pb2.UNAVAILABLE,
}
_KINDS = {code: kind for kind, code in _CODES.items()}
_SPIFFE = re.compile(r"spiffe://[^/]+/(?:service/(?P<service>[a-z]+)|unit/(?P<unit>[A-Za-z0-9-]+))")


@dataclass(frozen=True)
class Caller:
    """Who calls: `role` is a service's name or "unit", `unit` the unit's code, `session` an officer's, or ""."""

    role: str
    unit: str = ""
    session: str = ""


def caller_of(context: grpc.ServicerContext) -> Caller:
    """The caller as its certificate's SPIFFE URI names it; Unauthenticated if it names nobody."""
    uris: Iterable[bytes] = context.auth_context().get("peer_spiffe_id", ())  # type: ignore[assignment]
    for uri in uris:
        if match := _SPIFFE.fullmatch(uri.decode()):
            metadata = dict(context.invocation_metadata())
            session = str(metadata.get(SESSION_KEY, ""))
            return Caller(match["service"] or "unit", match["unit"] or "", session)
    raise Unauthenticated("no-spiffe-uri", "The client certificate names no service and no unit.")


def status_of(refusal: Refusal) -> status_pb2.Status:
    """The refusal as google.rpc.Status with ErrorInfo and, for fields, BadRequest."""
    status = status_pb2.Status(code=_CODES[type(refusal)], message=refusal.sentence)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=refusal.reason, domain="zwrotka"))
    if refusal.fields:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=name, description=text)
            for name, text in refusal.fields.items()
        ]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=violations))
    return status


def refusal_of(status: status_pb2.Status) -> Refusal:
    """The refusal a status carries; what is none of the six kinds is Unavailable."""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for each in status.details:
        each.Unpack(info)
        each.Unpack(request)
    fields = {each.field: each.description for each in request.field_violations}
    if status.code not in _KINDS or not info.reason:
        return Unavailable("unreachable", "A part of the service does not answer for the moment. Please try again.")
    return _KINDS[status.code](info.reason, status.message, fields)


def packed(refusal: Refusal) -> bytes:
    """The refusal as an outcome's `error` bytes."""
    error: bytes = status_of(refusal).SerializeToString()
    return error


def unpacked(error: bytes) -> Refusal:
    """The refusal in an outcome's `error` bytes."""
    return refusal_of(status_pb2.Status.FromString(error))


def call(method: Callable[..., Answer], request: Message, *, timeout_s: float, session: str = "") -> Answer:
    """Calls a stub's method. Every call between processes goes through here, so that each has a deadline."""
    metadata = ((SESSION_KEY, session),) if session else None
    try:
        return method(request, timeout=timeout_s, metadata=metadata)
    except grpc.RpcError as error:
        raise refusal_from(error) from error


def refusal_from(error: grpc.RpcError) -> Refusal:
    """The refusal a failed call carries."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:
        status = None
    return refusal_of(status or status_pb2.Status(code=code_pb2.UNKNOWN))


def channel(address: str, certificate: Path) -> grpc.Channel:
    """A channel to keep: a new one costs 5 ms, a call on it 1 ms. `certificate` lies beside its key and ca.pem."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=certificate.with_name("ca.pem").read_bytes(),
        private_key=certificate.with_suffix(".key").read_bytes(),
        certificate_chain=certificate.read_bytes(),
    )
    # A service that was just restarted is looked for again at once, not after gRPC's two minutes.
    backoff = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]
    return grpc.secure_channel(address, credentials, options=_OPTIONS + backoff)


class Server:
    """A service's gRPC server. `rights` says for every method of the service which roles may call it."""

    def __init__(self, settings: Settings, service: str, full_name: str, rights: Rights, *, threads: int = 32) -> None:
        self._health = health.HealthServicer()
        self._name = full_name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rpc")
        self.grpc = grpc.server(
            self._pool, interceptors=[_Guard(f"/{full_name}/", rights)], options=_OPTIONS, maximum_concurrent_rpcs=512
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        reflection.enable_server_reflection((full_name, health.SERVICE_NAME, reflection.SERVICE_NAME), self.grpc)
        certificates = settings.home_path / "certificates"
        certificate = certificates / f"{service}.pem"
        credentials = grpc.ssl_server_credentials(
            [(certificate.with_suffix(".key").read_bytes(), certificate.read_bytes())],
            root_certificates=(certificates / "ca.pem").read_bytes(),
            require_client_auth=True,
        )
        self.grpc.add_secure_port(f"{settings.listen}:{settings.port_of(service)}", credentials)

    def start(self) -> None:
        """Starts answering, and says so to health checks."""
        self.grpc.start()
        for name in ("", self._name):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float = 5.0) -> None:
        """Refuses new calls, lets running ones finish."""
        self._health.enter_graceful_shutdown()
        self.grpc.stop(grace_s).wait()


class _Guard(grpc.ServerInterceptor):
    """Outermost: no deadline, no right, no entry; and no exception's text ever leaves the process."""

    def __init__(self, prefix: str, rights: Rights) -> None:
        self._prefix = prefix
        self._rights = rights

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = continuation(details)
        if handler is None or not details.method.startswith(self._prefix):
            return handler
        allowed = self._rights[details.method.removeprefix(self._prefix)]
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(handler.unary_stream, allowed),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(handler.unary_unary, allowed), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, behaviour: Any, allowed: frozenset[str]) -> Any:
        def guarded(request: Message, context: grpc.ServicerContext) -> Any:
            try:
                _must_be_allowed(context, allowed)
                return behaviour(request, context)
            except Exception as error:
                context.abort_with_status(_final(error))

        return guarded

    def _streaming(self, behaviour: Any, allowed: frozenset[str]) -> Any:
        def guarded(request: Message, context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                _must_be_allowed(context, allowed)
                yield from behaviour(request, context)
            except Exception as error:
                context.abort_with_status(_final(error))

        return guarded


def _must_be_allowed(context: grpc.ServicerContext, allowed: frozenset[str]) -> None:
    # The synchronous server gives a call without deadline some centuries.
    if (context.time_remaining() or math.inf) > MAX_DEADLINE_S:
        raise Invalid("no-deadline", "The call has no deadline within an hour. Set one and repeat it.")
    if caller_of(context).role not in allowed:
        raise Forbidden("not-for-this-caller", "This caller may not use this method.")


def _final(error: Exception) -> Any:
    if not isinstance(error, Refusal):
        log.error("unexpected", exc_info=error)
        error = Unavailable("internal", "Something went wrong on our side. Please repeat the request.")
    return rpc_status.to_status(status_of(error))
