"""Values for programs: the names are those of the dataclasses, and stay."""

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any


def plain(value: Any, *, without: str = "") -> dict[str, Any]:
    """A dataclass as JSON values: times and days in ISO 8601, bytes in hex."""
    return {name: _json_value(each) for name, each in asdict(value).items() if name != without}


def line(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False)


def show(value: Any) -> None:
    """Prints a JSON object."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value
