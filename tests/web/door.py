"""The web door and receipts behind it, as they run: two processes, mutual TLS, HTTP on loopback."""

import hashlib
import http.client
import os
import subprocess
import sys
import time
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Final, NamedTuple

from zwrotka.receipts.v1 import receipts_pb2 as pb
from zwrotka.receipts.v1.receipts_pb2_grpc import ReceiptsServiceStub

from services.chassis import city, clock, migrate, rpc
from services.chassis.database import Database
from services.chassis.settings import Settings
from services.house import certificates, keys
from tests.ports import free_port

ROOT: Final = Path(__file__).parents[2]
COMMANDS: Final = {"receipts": ("services.receipts",), "web": ("services.frontdoor", "web")}
ENTRIES: Final = 300  # one full tile and a partial one
LETTER: Final = b"From: anna@poczta.example\r\nSubject: Dziura\r\n\r\nProsze o naprawe chodnika.\r\n"
SCAN: Final = b"%PDF-1.4 a scan"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Given(NamedTuple):
    """A receipt as a resident has it."""

    number: str
    xml_name: str
    xml: bytes
    proof_name: str
    proof: bytes

    @property
    def files(self) -> dict[str, bytes]:
        """Both files by name."""
        return {self.xml_name: self.xml, self.proof_name: self.proof}

    @property
    def mail(self) -> EmailMessage:
        """The receipt mail's essence: a text and both files."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "urzad@example.org", "anna@poczta.example", f"Zwrotka {self.number}"
        mail.set_content("Twoje pismo przyszło.")
        mail.add_attachment(self.xml, maintype="application", subtype="xml", filename=self.xml_name)
        mail.add_attachment(self.proof, maintype="application", subtype="octet-stream", filename=self.proof_name)
        return mail


class Door:
    """A home, receipts and the web door."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=str(home), receipts_port=free_port(), web_port=free_port())
        self.city = city.load(ROOT / self.settings.profile)
        self.receipts: list[Given] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWROTKA_")}
        self._environment |= {
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("", "protos", "clients/python")),
            "ZWROTKA_HOME": self.settings.home,
            "ZWROTKA_RECEIPTS_PORT": str(self.settings.receipts_port),
            "ZWROTKA_WEB_PORT": str(self.settings.web_port),
        }
        (home / "data").mkdir()
        certificates.issue(home, self.city)
        keys.make(home, self.city)
        certificates.issue_seal(home, self.city)
        database = Database(self.settings.database_of("receipts"))
        database.write(lambda tx: migrate.upgrade("receipts", tx))
        database.close()

    def start(self, *roles: str) -> None:
        """Starts processes and waits until they answer."""
        for role in roles:
            with (self.settings.home_path / f"{role}.log").open("ab") as log:
                self._processes[role] = subprocess.Popen(
                    [sys.executable, "-m", *COMMANDS[role]], cwd=ROOT, env=self._environment, stdout=log, stderr=log
                )
        deadline = time.monotonic() + 20
        # Away from receipts the door answers 503, and is open all the same.
        expected = (200,) if "receipts" in self._processes else (200, 503)
        while "web" in self._processes and self._health() not in expected:
            assert time.monotonic() < deadline, self.log_of("web")
            time.sleep(0.05)

    def stop(self, *roles: str) -> float:
        """Asks processes to end, one after the other; the seconds that took."""
        started_at = time.monotonic()
        for role in roles:
            process = self._processes.pop(role)
            process.terminate()
            process.wait(10)
        return time.monotonic() - started_at

    def run(self, role: str) -> subprocess.CompletedProcess[str]:
        """Runs a process to its end, one that is not to start."""
        command = [sys.executable, "-m", *COMMANDS[role]]
        return subprocess.run(
            command, cwd=ROOT, env=self._environment, check=False, capture_output=True, text=True, timeout=15
        )

    def pid_of(self, role: str) -> int:
        """The process's id."""
        return self._processes[role].pid

    def log_of(self, role: str) -> str:
        """What the process wrote so far."""
        return (self.settings.home_path / f"{role}.log").read_text(encoding="utf-8")

    def attest(self) -> None:
        """Has ENTRIES letters attested, in two calls; `receipts` are the first and the last."""
        with rpc.channel(
            self.settings.address_of("receipts"), self.settings.home_path / "certificates/mailbox.pem"
        ) as channel:
            for numbers in (range(256), range(256, ENTRIES)):
                request = pb.AttestEventsRequest(events=[self._event(number) for number in numbers])
                answer = rpc.call(ReceiptsServiceStub(channel).AttestEvents, request, timeout_s=30)
                self.receipts += [
                    _given(self._event(number).message_id, outcome.receipt)
                    for number, outcome in zip(numbers, answer.outcomes, strict=True)
                ]

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.web_port, timeout=15)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def upload(self, files: dict[str, bytes], path: str = "/sprawdz") -> Answer:
        """Files sent by the form on /sprawdz."""
        boundary = uuid.uuid4().hex
        return self.ask(
            path, "POST", form_of(files, boundary), Content_Type=f"multipart/form-data; boundary={boundary}"
        )

    def _health(self) -> int:
        try:
            return self.ask("/zdrowie").status
        except OSError:
            return 0

    def _event(self, number: int) -> pb.Event:
        event = pb.Event(
            evidence_id=str(uuid.UUID(int=number)),
            kind=pb.EVENT_KIND_SUBMISSION_ACCEPTANCE,
            message_id=f"ZW-TEST-{number:04d}",
            sender=pb.Party(identifier="urn:uuid:6f2c1c52-94b1-4e5e-8f0e-3c1f5c0a7d11", scheme="profile"),
            recipient=pb.Party(
                identifier=self.city.spiffe_of_unit("KD"), scheme="unit", name=self.city.units["KD"].name
            ),
            parts=[
                pb.Part(identifier="letter.eml", content_type="message/rfc822", sha256=hashlib.sha256(LETTER).digest()),
                pb.Part(identifier="2", content_type="application/pdf", sha256=hashlib.sha256(SCAN).digest()),
            ],
            channel="smtp",
            deadline=pb.Deadline(rule="art. 35 § 3 k.p.a.", start_on="2026-11-25", due_on="2026-12-28"),
            unit="KD",
        )
        event.occurred_at.FromDatetime(clock.now())
        event.submitted_at.CopyFrom(event.occurred_at)
        return event


def form_of(files: dict[str, bytes], boundary: str) -> bytes:
    """multipart/form-data (RFC 7578) with the files in the form's one field."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def _given(number: str, receipt: pb.Receipt) -> Given:
    stem = f"dowod-{receipt.evidence_id}"
    return Given(number, f"{stem}.xml", receipt.xml, f"{stem}.tlog-proof", receipt.tlog_proof)
