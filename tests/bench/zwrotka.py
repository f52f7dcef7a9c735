"""The real house, started as `make run` starts it, in a folder of its own."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from zwrotka.mailbox.v1 import mailbox_pb2 as pb
from zwrotka.mailbox.v1.mailbox_pb2_grpc import MailboxServiceStub

from services.chassis import rpc
from tests.bench import generator, peers


@dataclass
class House:
    """A running house."""

    home: Path
    pid: int
    ready: dict[str, Any]

    @property
    def port(self) -> int:
        """The mail door's port."""
        return int(self.ready["smtp"].rpartition(":")[2])

    @property
    def rcpt(self) -> str:
        """The demo resident's address for letters."""
        return str(self.ready["resident"]["letter_address"])

    def count(self, table: str, condition: str = "1=1") -> int:
        """Rows of a mailbox table."""
        with contextlib.closing(sqlite3.connect(self.home / "data" / "mailbox.sqlite3")) as database:
            return int(database.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0])  # noqa: S608

    def waiting(self) -> int:
        """Receipt mails not sent yet."""
        return self.count("notices", "state = 'due'") + self.count("evidence", "done_at IS NULL")

    def fill(self, count: int) -> None:
        """Puts letters of 4 KB into the store by the door's own call, 64 at a time."""
        channel: grpc.Channel = rpc.channel(self.ready["mailbox"], self.home / "certificates" / "frontdoor.pem")
        stub = MailboxServiceStub(channel)
        start = self.count("letters")
        for first in range(start, count, 64):
            deposits = [
                pb.Deposit(
                    token=self.ready["resident"]["token"],
                    unit="SO",
                    channel="smtp",
                    content=generator.message(f"fill-{serial}", self.rcpt, 4096),
                )
                for serial in range(first, min(first + 64, count))
            ]
            answer = rpc.call(stub.DepositLetters, pb.DepositLettersRequest(deposits=deposits), timeout_s=30)
            assert not any(outcome.error for outcome in answer.outcomes)
        channel.close()


@contextlib.contextmanager
def house() -> Iterator[House]:
    """Runs a house until the block ends."""
    with tempfile.TemporaryDirectory(prefix="zwrotka-bench-", dir="/var/tmp") as folder:
        home = Path(folder) / "home"
        ports = {
            f"ZWROTKA_{name}_PORT": str(peers.free_port())
            for name in ("SMTP", "WEB", "IDENTITY", "MAILBOX", "RECEIPTS")
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "services", "run"],
            env=os.environ | ports | {"ZWROTKA_HOME": str(home)},
            stdout=subprocess.DEVNULL,
        )
        try:
            ready = home / "ready.json"
            end = time.monotonic() + 60
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the house did not start")
                time.sleep(0.1)
            yield House(home, process.pid, json.loads(ready.read_text(encoding="utf-8")))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
