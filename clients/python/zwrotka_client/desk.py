"""The officer's desk: trusted profiles requested, confirmed and revoked, tokens issued."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.message import Message
from zwrotka.identity.v1 import identity_pb2, identity_pb2_grpc

from zwrotka_client.channel import Answer, Channel

_SESSION_KEY = "zwrotka-session"


@dataclass(frozen=True)
class ProfileRequest:
    """A request that waits for its confirmation."""

    profile_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Token:
    """A token in clear. It is kept nowhere and cannot be shown again."""

    token: str
    letter_address: str
    expires_at: datetime


class Desk:
    """What an officer does at identity, signed in with login and password from a unit's machine.

    No call is repeated by itself: where one fails as Unavailable, it may have taken effect. A profile whose
    token was lost that way gets another by `issue_token`.
    """

    def __init__(
        self,
        address: str,
        *,
        certificate: str | Path,
        key: str | Path | None = None,
        ca: str | Path | None = None,
        login: str,
        password: str,
    ) -> None:
        """`address` is identity's "host:port", the certificate a unit's. Signs in; Unauthenticated if refused."""
        self._channel = Channel(address, Path(certificate), Path(key) if key else None, Path(ca) if ca else None)
        self._stub = identity_pb2_grpc.IdentityServiceStub(self._channel.grpc)
        answer = self._channel.call(
            self._stub.SignInOfficer, identity_pb2.SignInOfficerRequest(login=login, password=password)
        )
        self._session = answer.session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def request_profile(
        self, *, first_names: str, surname: str, pesel: str, email: str, phone: str = ""
    ) -> ProfileRequest:
        """Takes down what a resident states about themselves; it lapses unless confirmed in 14 days."""
        answer = self._call(
            self._stub.RequestProfile,
            identity_pb2.RequestProfileRequest(
                first_names=first_names, surname=surname, pesel=pesel, email=email, phone=phone
            ),
        )
        return ProfileRequest(answer.profile_id, answer.expires_at.ToDatetime(tzinfo=UTC))

    def confirm_profile(self, profile_id: str, *, document_number: str, pesel: str) -> Token:
        """Confirms a request after the identity card was shown; gives the profile's first token, this once."""
        answer = self._call(
            self._stub.ConfirmProfile,
            identity_pb2.ConfirmProfileRequest(profile_id=profile_id, document_number=document_number, pesel=pesel),
        )
        return _token_of(answer.token)

    def revoke_profile(self, profile_id: str, *, reason: str) -> None:
        """Ends a profile with all its tokens and linked chats, at once."""
        self._call(self._stub.RevokeProfile, identity_pb2.RevokeProfileRequest(profile_id=profile_id, reason=reason))

    def issue_token(self, profile_id: str) -> Token:
        """A new token, shown this once; the earlier ones end."""
        answer = self._call(self._stub.IssueToken, identity_pb2.IssueTokenRequest(profile_id=profile_id))
        return _token_of(answer.token)

    def _call(self, method: Callable[..., Answer], request: Message) -> Answer:
        return self._channel.call(method, request, metadata=((_SESSION_KEY, self._session),))


def _token_of(message: identity_pb2.IssuedToken) -> Token:
    return Token(message.token, message.letter_address, message.expires_at.ToDatetime(tzinfo=UTC))
