"""Settings: environment variables with the prefix ZWROTKA_, or files of the same name with _FILE."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "ZWROTKA_"
# What the command `zwrotka` reads may stand in the same environment.
CLIENTS_PREFIXES = ("ZWROTKA_UNIT_", "ZWROTKA_DESK_")


class SettingsError(Exception):
    """A setting that stops the start; the text names it and the remedy."""


def _setting(default: str | int, help_: str, *, secret: bool = False, begins: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help_, "secret": secret, "begins": begins})


@dataclass(frozen=True)
class Settings:
    """All settings of all roles; each role reads what it needs."""

    home: str = _setting("var", "folder for keys, databases, logs and outgoing mail")
    profile: str = _setting("profiles/demo", "folder that declares the city")
    listen: str = _setting("127.0.0.1", "address all services listen on")
    smtp_port: int = _setting(8025, "port of the mail door")
    web_port: int = _setting(8080, "port of the web door")
    identity_port: int = _setting(7001, "port of identity")
    mailbox_port: int = _setting(7002, "port of mailbox")
    receipts_port: int = _setting(7003, "port of receipts")
    identity_address: str = _setting("", "host:port of identity; empty: this machine")
    mailbox_address: str = _setting("", "host:port of mailbox; empty: this machine")
    receipts_address: str = _setting("", "host:port of receipts; empty: this machine")
    database: str = _setting(
        "", "postgresql:// URL; empty: SQLite files in the home", secret=True, begins=("postgresql://", "sqlite:///")
    )
    relay: str = _setting(
        "",
        "smtp://[user:password@]host:port for outgoing mail; empty: Maildirs under HOME/outgoing",
        secret=True,
        begins=("smtp://",),
    )
    telegram_token: str = _setting("", "token of the Telegram bot; empty: that door stays closed", secret=True)
    telegram_api: str = _setting("https://api.telegram.org", "base URL of the Bot API", begins=("https://", "http://"))
    pulse: str = _setting("", "file that courier or telegram touches while it works, for its probe; empty: none")
    budget_bytes: int = _setting(64 << 20, "bytes of letters the mail door holds at once; above it answers 451")

    @property
    def home_path(self) -> Path:
        """The home, absolute."""
        return Path(self.home).resolve()

    def port_of(self, service: str) -> int:
        """The port a service listens on."""
        return int(getattr(self, f"{service}_port"))

    def address_of(self, service: str) -> str:
        """Where a service answers, "host:port"."""
        return getattr(self, f"{service}_address") or f"127.0.0.1:{self.port_of(service)}"

    def database_of(self, service: str) -> str:
        """The URL of a service's database: as set (each service's process has its own), else a file in the home."""
        return self.database or f"sqlite:///{self.home_path / 'data' / service}.sqlite3"

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """(variable, value with secrets masked, help) of each setting."""
        for each in fields(self):
            value = str(getattr(self, each.name))
            masked = "****" if each.metadata["secret"] and value else value
            yield PREFIX + each.name.upper(), masked, each.metadata["help"]


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings; raises SettingsError for an unknown or malformed one."""
    known = {each.name: each for each in fields(Settings)}
    values: dict[str, str | int] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(CLIENTS_PREFIXES):
            continue
        name = variable.removeprefix(PREFIX).lower()
        text = environ[variable]
        if name not in known and name.endswith("_file") and name.removesuffix("_file") in known:
            name = name.removesuffix("_file")
            try:
                text = Path(text).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{variable} names a file that cannot be read: {error.strerror}.") from error
        if name not in known:
            raise SettingsError(f"{variable} is not a setting of Zwrotka. `make help` lists those that are.")
        if name in values:
            raise SettingsError(f"{PREFIX}{name.upper()} is set twice, once by its _FILE form. Keep one of them.")
        values[name] = _whole_number(variable, text) if known[name].type is int else text
        begins = known[name].metadata["begins"]
        if text and begins and not text.startswith(begins):
            raise SettingsError(f"{variable} must begin with {' or '.join(begins)}.")
    return Settings(**values)  # type: ignore[arg-type]


def _whole_number(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise SettingsError(f"{variable} must be a whole number.")
    if variable.removesuffix("_FILE").endswith("_PORT") and not 0 < int(text) < 65536:
        raise SettingsError(f"{variable} must be a port, 1 to 65535.")
    return int(text)
