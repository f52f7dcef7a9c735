"""The six kinds of refusal a service answers with, each as an exception."""

from collections.abc import Mapping

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status


class Refusal(Exception):
    """A request that was not granted.

    `reason` is a stable word for programs, `sentence` says what happened, whether anything was kept and what
    to do, `fields` what was wrong with which field.
    """

    def __init__(self, reason: str, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.fields = dict(fields or {})


class Invalid(Refusal):
    """The request itself is wrong; sent again as it is, it will be refused again."""


class Unauthenticated(Refusal):
    """It is not known who is asking, or who is answering."""


class Forbidden(Refusal):
    """It is known who is asking, and they may not."""


class NotFound(Refusal):
    """There is no such thing, or none that the caller may see."""


class AlreadyExists(Refusal):
    """The key is kept with a different content."""


class Unavailable(Refusal):
    """The service's own trouble, for now. Whether the request took effect is not known: repeat it."""


_KINDS: dict[int, type[Refusal]] = {
    code_pb2.INVALID_ARGUMENT: Invalid,
    code_pb2.UNAUTHENTICATED: Unauthenticated,
    code_pb2.PERMISSION_DENIED: Forbidden,
    code_pb2.NOT_FOUND: NotFound,
    code_pb2.ALREADY_EXISTS: AlreadyExists,
    code_pb2.UNAVAILABLE: Unavailable,
}


def unpacked(error: bytes) -> Refusal:
    """The refusal in an outcome's `error` bytes."""
    return refusal_of(status_pb2.Status.FromString(error))


def refusal_of(status: status_pb2.Status) -> Refusal:
    """The refusal a google.rpc.Status carries; what is none of the six kinds is Unavailable."""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for each in status.details:
        each.Unpack(info)
        each.Unpack(request)
    if status.code not in _KINDS or not info.reason:
        return Unavailable("unreachable", "A part of the service does not answer for the moment. Please try again.")
    fields = {each.field: each.description for each in request.field_violations}
    return _KINDS[status.code](info.reason, status.message, fields)


def refusal_from(error: grpc.RpcError, address: str) -> Refusal:
    """The refusal of a failed call to `address`. What gRPC itself says is told apart where the remedy differs."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:
        status = None
    if status is not None:
        return refusal_of(status)
    code, details = error.code(), error.details() or ""
    if "CERTIFICATE_VERIFY_FAILED" in details:
        return Unauthenticated(
            "untrusted-service",
            f"Whoever answers at {address} could not prove to be the city's service by the CA certificate in use. "
            "Nothing was sent. Check the address and the CA certificate.",
        )
    if code == grpc.StatusCode.UNIMPLEMENTED:
        return Invalid(
            "unknown-method",
            f"The service at {address} does not know this request. Nothing was done. "
            "Check that the address is the right service's and that its version fits this client's.",
        )
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unavailable(
            "no-answer-in-time",
            f"The service at {address} did not answer in time. It is not known whether the request took effect. "
            "Please try again.",
        )
    return Unavailable(
        "unreachable",
        f"No service answers at {address} for the moment. It is not known whether the request took effect. "
        "Please try again."
        # A service that does not accept a certificate closes the connection, as one that is killed does.
        + (" If this goes on, check that the city issued your certificate." if "Socket closed" in details else ""),
    )
