"""What the verifier answers."""

from dataclasses import dataclass
from datetime import date, datetime


class Refused(ValueError):
    """One check that did not hold; the message is a plain sentence that a person understands."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `name` is stable, for programs; `detail` is one sentence, for people."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Part:
    """One piece of the letter, as the evidence lists it; `sha256` in lower-case hex."""

    identifier: str
    content_type: str
    sha256: str


@dataclass(frozen=True)
class Deadline:
    """The statutory term that the event started; days in Poland."""

    rule: str
    start_on: date
    due_on: date


@dataclass(frozen=True)
class Facts:
    """What the seal stands behind. `log_index` (from 0) and `log_size` are set only once the log's checks hold."""

    evidence_id: str
    event: str
    letter: str
    event_at: datetime
    submitted_at: datetime
    issuer: str
    sender: str
    recipient: str
    channel: str
    parts: tuple[Part, ...]
    deadline: Deadline | None = None
    log_origin: str = ""
    log_index: int | None = None
    log_size: int | None = None


@dataclass(frozen=True)
class Verdict:
    """All checks made, in order. A check that another one must precede is not made once that one failed.

    `facts` is None unless the seal holds: what nobody vouches for is not shown.
    """

    checks: tuple[Check, ...]
    facts: Facts | None

    @property
    def passed(self) -> bool:
        """Whether every check was made and held."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.checks if not check.passed)
