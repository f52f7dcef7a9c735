"""The real house on loopback: its own processes, databases and mail; only the outside is played."""

import dataclasses
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import city, rpc, settings
from services.chassis.settings import Settings
from services.house import health, opening, supervisor
from services.house.books import Books
from services.house.resident import Desk
from tests import people
from tests.ports import free_port

T = TypeVar("T")
_ROOT = Path(__file__).parent.parent


class Reply(NamedTuple):
    """An SMTP server's last word on a letter."""

    code: int
    text: str


class House:
    """A house in a folder of its own. Each process can be stopped, killed and started by its role: identity, mailbox,
    receipts, mail, courier, web (and telegram, where a token is set)."""

    def __init__(self, folder: Path, *, database: str = "", **chosen: Any) -> None:
        ports = {f"{name}_port": free_port() for name in ("smtp", "web", "identity", "mailbox", "receipts")}
        chosen = {"home": str(folder), "database": database, **ports, **chosen}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWROTKA_")}
        self.environment |= {f"ZWROTKA_{name.upper()}": str(value) for name, value in chosen.items()}
        self.environment["PYTHONPATH"] = os.pathsep.join(str(_ROOT / part) for part in ("", "protos", "clients/python"))
        self.home = folder
        self.settings = settings.load(self.environment)
        self.city = city.load(_ROOT / self.settings.profile)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._channels: dict[tuple[str, str], grpc.Channel] = {}
        self.people: list[people.Resident] = []

    # Processes

    def open(self) -> None:
        """Prepares the home and starts everything."""
        prepared = self.command("prepare")
        assert prepared.returncode == 0, prepared.stderr
        self._children = {child.role: child for child in supervisor.children(self.settings, self.environment)}
        self.start(*self._children)
        opening.write_ready(self.settings, self.home / "ready.json")

    def close(self) -> None:
        """Stops everything."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self.stop(*self._processes)

    def start(self, *roles: str, faults: Iterable[dict[str, Any]] = (), wait: bool = True) -> None:
        """Starts processes, with faults played in them (tests/stage.py), and waits until they answer."""
        for role in roles:
            self._launch(role, self._children[role], faults)
        if wait:
            self.wait_until_serving(*roles)

    def start_copy(self, role: str, **chosen: Any) -> Settings:
        """Starts a second process of a role, "ROLE-2", with settings of its own; those settings."""
        variables = {f"ZWROTKA_{name.upper()}": str(value) for name, value in chosen.items()}
        child = self._children[role]
        self._launch(f"{role}-2", dataclasses.replace(child, environment={**child.environment, **variables}), ())
        own = dataclasses.replace(self.settings, **chosen)
        until(lambda: role not in health.ROLES or health.serves(own, role))
        return own

    def _launch(self, name: str, child: supervisor.Child, faults: Iterable[dict[str, Any]]) -> None:
        assert name not in self._processes, f"{name} runs already"
        plan = self.home / f"{name}.plan.json"
        plan.write_text(json.dumps({"clock": str(self.home / "clock-offset"), "faults": list(faults)}))
        with (self.home / "logs" / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.stage", *child.command[2:]],
                env={**child.environment, "STAGE_PLAN": str(plan)},
                cwd=_ROOT,
                stdin=subprocess.PIPE,  # never written to: it closes when this process dies
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, *roles: str) -> None:
        """Asks processes to end and waits until they have."""
        running = [self._processes.pop(role) for role in roles if role in self._processes]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def kill(self, *roles: str) -> None:
        """SIGKILL."""
        for role in roles:
            process = self._processes.pop(role)
            process.kill()
            process.wait()

    def restart(self, *roles: str, faults: Iterable[dict[str, Any]] = ()) -> None:
        """Stops and starts, with faults."""
        self.stop(*roles)
        self.start(*roles, faults=faults)

    def revive(self) -> None:
        """Starts again, without faults, whatever is down."""
        down = [role for role in self._children if role not in self._processes]
        dead = [role for role, process in self._processes.items() if process.poll() is not None]
        for role in dead:
            del self._processes[role]
        self.start(*down, *dead)

    def wait_until_dead(self, role: str, timeout_s: float = 20.0) -> int:
        """Waits for a process to die by a played fault; its exit code, -9 for SIGKILL."""
        return self._processes.pop(role).wait(timeout_s)

    def pid_of(self, role: str) -> int:
        """The process's id."""
        return self._processes[role].pid

    def pause(self, role: str) -> None:
        """Freezes a process: it is there and does not answer."""
        self._processes[role].send_signal(signal.SIGSTOP)

    def resume(self, role: str) -> None:
        """Lets a frozen process go on."""
        self._processes[role].send_signal(signal.SIGCONT)

    def wait_until_serving(self, *roles: str, timeout_s: float = 30.0) -> None:
        """Waits until the roles answer their health checks; roles without a port need only be alive."""
        for role in roles:
            process = self._processes[role]
            deadline = time.monotonic() + timeout_s
            while role in health.ROLES and not health.serves(self.settings, role):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{role} does not serve:\n{self.logs()[role][-3000:]}")
                time.sleep(0.05)

    def command(self, *arguments: str, **named: Any) -> subprocess.CompletedProcess[str]:
        """Runs `python -m services ...` in this house, as make does."""
        return subprocess.run(
            [sys.executable, "-m", "services", *arguments],
            env=self.environment,
            cwd=_ROOT,
            text=True,
            timeout=120,
            **{"capture_output": True, **named},
        )

    def logs(self) -> dict[str, str]:
        """What each role wrote so far."""
        paths = (self.home / "logs").glob("*.log")
        return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in paths}

    @cached_property
    def books(self) -> Books:
        """The house's books, of which each receipt is verified once."""
        return Books(self.settings)

    # Time

    def advance(self, by: timedelta) -> None:
        """Moves the house's clock, in all processes at once."""
        path = self.home / "clock-offset"
        new = path.with_suffix(".new")
        new.write_text(str((self._offset + by).total_seconds()))
        new.replace(path)

    def now(self) -> datetime:
        """The time by the house's clock."""
        return datetime.now(UTC) + self._offset

    @property
    def _offset(self) -> timedelta:
        path = self.home / "clock-offset"
        return timedelta(seconds=float(path.read_text()) if path.exists() else 0.0)

    # People

    @property
    def demo(self) -> dict[str, str]:
        """The demo resident, as ready.json shows him."""
        kept: dict[str, str] = self.ready["resident"]
        return kept

    @property
    def ready(self) -> dict[str, Any]:
        """The contract for tools."""
        kept: dict[str, Any] = json.loads((self.home / "ready.json").read_text(encoding="utf-8"))
        return kept

    def resident(self, first_name: str = "Anna") -> people.Resident:
        """A fresh resident with a confirmed profile and a token."""
        person = people.invent(first_name)
        with Desk(self.settings) as desk:
            profile_id = desk.request(person)
            token = desk.confirm(profile_id, person)
        resident = people.Resident(person, profile_id, token.token, token.letter_address)
        self.people.append(resident)
        return resident

    def revoke(self, resident: people.Resident) -> None:
        """Ends the resident's profile."""
        with Desk(self.settings) as desk:
            desk.revoke(resident.profile_id, "Lost phone.")

    # Mail

    def send(
        self, raw: bytes | EmailMessage, to: str, *, sender: str = "jan.nowak@poczta.example", port: int = 0
    ) -> Reply:
        """Hands a message in as a mail server does, on a connection of its own; the last reply."""
        content = raw if isinstance(raw, bytes) else raw.as_bytes(policy=policy.SMTP)
        with smtplib.SMTP("127.0.0.1", port or self.settings.smtp_port, timeout=60) as door:
            door.ehlo("poczta.example")
            for reply in (door.mail(sender, [f"size={len(content)}"]), door.rcpt(to)):
                if reply[0] >= 400:
                    return Reply(reply[0], reply[1].decode())
            code, text = door.data(content)
            return Reply(code, text.decode())

    def write(self, resident: people.Resident, text: str = "Dzień dobry.", **named: str) -> Reply:
        """Sends a letter of the resident's, by default to their personal address."""
        return self.send(
            letter(resident, text, **named), named.get("to", resident.letter_address), sender=resident.email
        )

    def outgoing(self, address: str) -> list[EmailMessage]:
        """The mails sent to an address so far, oldest first."""
        paths = (self.home / "outgoing" / address / "new").glob("*")
        dated = sorted((path.stat().st_mtime_ns, path) for path in paths)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for _, path in dated]

    def wait_for_mail(self, address: str, count: int = 1, timeout_s: float = 30.0) -> list[EmailMessage]:
        """The mails to an address, once there are so many."""
        return until(lambda: mails if len(mails := self.outgoing(address)) >= count else None, timeout_s=timeout_s)

    # Calls

    def channel(self, service: str, certificate: str) -> grpc.Channel:
        """A kept channel to a service; the certificate by its name under certificates/, for example "units/SO"."""
        key = (service, certificate)
        if key not in self._channels:
            path = self.home / "certificates" / f"{certificate}.pem"
            self._channels[key] = rpc.channel(self.settings.address_of(service), path)
        return self._channels[key]

    def identity(self, certificate: str = "units/SO") -> IdentityServiceStub:
        """Identity, as the certificate's holder sees it."""
        return IdentityServiceStub(self.channel("identity", certificate))

    def mailbox(self, certificate: str = "units/SO") -> MailboxServiceStub:
        """Mailbox, as the certificate's holder sees it."""
        return MailboxServiceStub(self.channel("mailbox", certificate))

    def receipts(self, certificate: str = "frontdoor") -> ReceiptsServiceStub:
        """Receipts, as the certificate's holder sees it."""
        return ReceiptsServiceStub(self.channel("receipts", certificate))


def letter(
    resident: people.Resident, text: str = "Dzień dobry.", *, subject: str = "Pismo", to: str = ""
) -> EmailMessage:
    """A resident's mail with a Message-ID of its own."""
    message = EmailMessage()
    message["From"] = f"{resident.name} <{resident.email}>"
    message["To"] = to or resident.letter_address
    message["Subject"] = subject
    message["Message-ID"] = make_msgid(domain="poczta.example")
    message.set_content(text)
    return message


def until(ask: Callable[[], T | None], *, timeout_s: float = 30.0) -> T:
    """Asks again and again, until the answer is true."""
    deadline = time.monotonic() + timeout_s
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s")
        time.sleep(0.05)
    return answer
