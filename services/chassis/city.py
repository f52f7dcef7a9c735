"""The city as its profile folder declares it: name, domain, units. Matters stay raw: mailbox reads them."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from services.chassis.settings import SettingsError


@dataclass(frozen=True)
class Unit:
    """A unit of the city that holds letters."""

    code: str
    mailbox: str  # local part of its address, before the "+"
    name: str
    name_en: str


@dataclass(frozen=True)
class City:
    """A city's profile."""

    name: str
    domain: str
    office: str
    log_origin: str
    units: dict[str, Unit]
    matters: dict[str, dict[str, Any]]

    @cached_property
    def unit_by_mailbox(self) -> dict[str, Unit]:
        """Units by the local part of their address."""
        return {unit.mailbox: unit for unit in self.units.values()}

    @property
    def residents_unit(self) -> Unit:
        """The unit for residents' matters: the first declared."""
        return next(iter(self.units.values()))

    def spiffe_of_unit(self, code: str) -> str:
        """The SPIFFE URI that names a unit in its certificate and in evidence."""
        return f"spiffe://{self.domain}/unit/{code}"

    def spiffe_of_service(self, name: str) -> str:
        """The SPIFFE URI that names a service in its certificate."""
        return f"spiffe://{self.domain}/service/{name}"


def load(folder: Path) -> City:
    """Reads a profile folder; SettingsError names what is missing."""
    try:
        city = tomllib.loads((folder / "city.toml").read_text(encoding="utf-8"))
        units = tomllib.loads((folder / "units.toml").read_text(encoding="utf-8"))["units"]
        matters = {
            path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "matters").glob("*.toml"))
        }
        return City(
            name=city["name"],
            domain=city["domain"],
            office=city["office"],
            log_origin=city["log_origin"],
            units={code: Unit(code, each["mailbox"], each["name"], each["name_en"]) for code, each in units.items()},
            matters=matters,
        )
    except OSError as error:
        raise SettingsError(f"ZWROTKA_PROFILE: {error.filename} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"ZWROTKA_PROFILE: a file of the profile is not valid TOML: {error}.") from error
    except KeyError as error:
        raise SettingsError(f"ZWROTKA_PROFILE: the profile lacks {error}.") from error
