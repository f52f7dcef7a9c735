"""The six kinds of refusal that cross every RPC and come out as the same class."""

from collections.abc import Mapping


class Refusal(Exception):
    """A request that was not granted.

    `reason` is a stable word for programs (kebab case), `sentence` tells a person what happened, whether
    anything was kept and what to do; it is plain ASCII, since it travels in SMTP replies. `fields` names
    what was wrong with which field. None of them may carry personal data or an exception's text.
    """

    def __init__(self, reason: str, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence
        self.fields = dict(fields or {})


class Invalid(Refusal):
    """The request itself is wrong; sent again as it is, it will be refused again."""


class Unauthenticated(Refusal):
    """It is not known who is asking."""


class Forbidden(Refusal):
    """It is known who is asking, and they may not."""


class NotFound(Refusal):
    """There is no such thing, or none that the caller may see."""


class AlreadyExists(Refusal):
    """The key is kept with a different content."""


class Unavailable(Refusal):
    """Our own trouble, for now. Nothing is said about whether the request took effect: repeat it."""
