"""The one place that reads the time. Rules take it as an argument."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The time: aware, UTC, whole milliseconds, as evidence writes it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def day_of(moment: datetime) -> date:
    """The calendar day in Poland, on which statutory terms are counted (KPA art. 57)."""
    return moment.astimezone(WARSAW).date()


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as columns named *_at keep a time: exact, portable, and its order is the time's."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """The time that `to_ms` kept: aware, UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
