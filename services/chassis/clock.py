"""The one place that reads the time. Rules take it as an argument."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")


def now() -> datetime:
    """The time: aware, UTC, whole milliseconds, as evidence writes it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def day_of(moment: datetime) -> date:
    """The calendar day in Poland, on which statutory terms are counted (KPA art. 57)."""
    return moment.astimezone(WARSAW).date()
