"""Where the command finds its unit: flags first, then the environment, then a house that runs on this machine."""

import getpass
import os
import sys
from argparse import Namespace
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from zwrotka_client.ready import Ready, UnitPaths

VARIABLES = """\
environment (a flag of the same meaning wins):
  ZWROTKA_HOME               home of a house on this machine (default: var)
  ZWROTKA_UNIT_CODE          the unit to act as, of a house on this machine (default: its first)
  ZWROTKA_UNIT_ADDRESS       host:port of the mailbox
  ZWROTKA_UNIT_CERTIFICATE   the unit's certificate, PEM; its .key and ca.pem beside it
  ZWROTKA_UNIT_KEY           the certificate's key, where it lies elsewhere
  ZWROTKA_UNIT_CA            the city's CA certificate, where it lies elsewhere
  ZWROTKA_UNIT_LOG_KEY       verifier key of the city's log, or a file with it (for receipts)
  ZWROTKA_DESK_ADDRESS       host:port of identity (for desk)
  ZWROTKA_DESK_LOGIN         the officer's login
  ZWROTKA_DESK_PASSWORD      the officer's password; else --password-file or the prompt
"""


class UsageError(Exception):
    """The command cannot be carried out as it was given; the sentence says what is missing."""


@dataclass(frozen=True)
class Settings:
    """Resolved when asked for, so that a command needs only what it uses."""

    args: Namespace

    def given(self, name: str, variable: str) -> str:
        """A flag's value, or its variable's."""
        return getattr(self.args, name, None) or os.environ.get(variable, "")

    @cached_property
    def home(self) -> Path:
        """The home of a house on this machine; it may not be there."""
        return Path(self.given("home", "ZWROTKA_HOME") or "var")

    @cached_property
    def ready(self) -> Ready:
        """The running house; UsageError where none runs."""
        path = Path(self.args.ready) if self.args.ready else self.home / "ready.json"
        try:
            return Ready.read(path)
        except FileNotFoundError as error:
            raise UsageError(
                f"No house runs here: there is no {path}. Nothing was sent. "
                "Start it (make run), name its home (--home), or name --address and --certificate."
            ) from error
        except ValueError as error:
            raise UsageError(f"{error} Nothing was sent.") from error

    @cached_property
    def unit_paths(self) -> UnitPaths:
        """The certificate to show, and its key."""
        if certificate := self.given("certificate", "ZWROTKA_UNIT_CERTIFICATE"):
            key = self.given("key", "ZWROTKA_UNIT_KEY")
            return UnitPaths(Path(certificate), Path(key) if key else Path(certificate).with_suffix(".key"))
        code = self.given("unit", "ZWROTKA_UNIT_CODE") or next(iter(self.ready.units))
        try:
            return self.ready.unit(code)
        except ValueError as error:
            raise UsageError(f"{error} Nothing was sent.") from error

    @cached_property
    def ca(self) -> Path:
        """The city's CA certificate."""
        if given := self.given("ca", "ZWROTKA_UNIT_CA"):
            return Path(given)
        if certificate := self.given("certificate", "ZWROTKA_UNIT_CERTIFICATE"):
            return Path(certificate).with_name("ca.pem")
        kept = self.home / "certificates" / "ca.pem"
        if not self.args.ready and kept.is_file():
            return kept
        return self._of_house("the city's CA certificate", "--ca").ca

    @cached_property
    def log_key(self) -> str:
        """The verifier key of the city's log."""
        if given := self.given("log_key", "ZWROTKA_UNIT_LOG_KEY"):
            return Path(given).read_text(encoding="utf-8").strip() if Path(given).is_file() else given
        kept = self.home / "keys" / "log.vkey"
        if not self.args.ready and kept.is_file():
            return kept.read_text(encoding="utf-8").strip()
        return self._of_house("the verifier key of the city's log", "--log-key").log_key

    def address(self, service: str, variable: str) -> str:
        """Where `service` ("mailbox" or "identity") answers."""
        return self.given("address", variable) or str(getattr(self.ready, service))

    def _of_house(self, thing: str, flag: str) -> Ready:
        try:
            return self.ready
        except UsageError as error:
            raise UsageError(f"Name {thing} with {flag}: there is no house here that has it.") from error

    @property
    def login(self) -> str:
        """The officer's login."""
        if not (login := self.given("login", "ZWROTKA_DESK_LOGIN")):
            raise UsageError("Say which officer you are: --login NAME. Nothing was sent.")
        return login

    @property
    def password(self) -> str:
        """The officer's password: from a file, the environment or the prompt, never from the command line."""
        if self.args.password_file:
            return Path(self.args.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        if password := os.environ.get("ZWROTKA_DESK_PASSWORD"):
            return password
        if not sys.stdin.isatty():
            raise UsageError(
                "There is no terminal to ask for the password. Nothing was sent. "
                "Use --password-file or ZWROTKA_DESK_PASSWORD."
            )
        return getpass.getpass(f"Password of {self.login}: ")
