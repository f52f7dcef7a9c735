"""A running house's ready.json: where its services answer, and the demo units' certificates."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class UnitPaths:
    """What a unit shows who it is with."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Ready:
    """The part of ready.json that a unit or an officer needs."""

    identity: str
    mailbox: str
    ca: Path
    log_key: str
    units: dict[str, UnitPaths]

    @classmethod
    def read(cls, path: Path) -> Self:
        """OSError where there is none (the house does not run), ValueError where it is malformed."""
        text = path.read_text(encoding="utf-8")
        try:
            values = json.loads(text)
            units = {
                code: UnitPaths(path.parent / each["certificate"], path.parent / each["key"])
                for code, each in values["units"].items()
            }
            ca = path.parent / values["ca"]
            return cls(values["identity"], values["mailbox"], ca, values["log_key"], units)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} is not a ready.json of Zwrotka. Start the house again to have it written."
            ) from error

    def unit(self, code: str) -> UnitPaths:
        """ValueError names the units there are."""
        if code not in self.units:
            raise ValueError(f"There is no unit {code} in this house; there are {', '.join(self.units)}.")
        return self.units[code]
