"""The systems Zwrotka is measured beside: Postfix to Maildir, aiosmtpd that discards, aiosmtpd with durable SQLite."""

import asyncio
import contextlib
import os
import pwd
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

RCPT = "pismo@przykladowo.example"
MAX_BYTES = 30 << 20


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, bound_s: float = 20) -> None:
    """Waits until something answers on the port."""
    end = time.monotonic() + bound_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.recv(100)
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers on port {port}")


@contextlib.contextmanager
def postfix() -> Iterator[tuple[int, int]]:
    """A Postfix of its own that delivers into one Maildir: (port, process id of its master)."""
    home = Path(tempfile.mkdtemp(prefix="zwrotka-bench-", dir="/var/tmp"))
    port = free_port()
    mailbox_user = pwd.getpwnam("nobody")
    for name in ("etc", "queue", "data", "mail"):
        (home / name).mkdir()
    home.chmod(0o755)
    shutil.chown(home / "data", "postfix")
    os.chown(home / "mail", mailbox_user.pw_uid, mailbox_user.pw_gid)
    (home / "etc" / "main.cf").write_text(
        f"""compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtputf8_enable = no
biff = no
maillog_file =
syslog_name = zwrotka-bench
message_size_limit = {MAX_BYTES}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = przykladowo.example
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:letters/
virtual_uid_maps = static:{mailbox_user.pw_uid}
virtual_gid_maps = static:{mailbox_user.pw_gid}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtpd_client_connection_count_limit = 0
""",
        encoding="ascii",
    )
    services = Path("/etc/postfix/master.cf").read_text(encoding="ascii").splitlines()
    kept = [line for line in services if line and not line.startswith(("#", " ", "smtp ", "submission", "smtps"))]
    kept = [" ".join([*line.split()[:4], "n", *line.split()[5:]]) for line in kept]
    listener = f"127.0.0.1:{port} inet n - n - 100 smtpd"
    (home / "etc" / "master.cf").write_text("\n".join([listener, *kept]) + "\n", encoding="ascii")
    subprocess.run(["postfix", "-c", str(home / "etc"), "start"], check=True, capture_output=True)
    try:
        wait_for(port)
        yield port, int((home / "queue" / "pid" / "master.pid").read_text().strip())
    finally:
        subprocess.run(["postfix", "-c", str(home / "etc"), "stop"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def waiting_in_postfix(master: int) -> int:
    """Letters accepted and not yet delivered."""
    folder = Path(f"/proc/{master}/cwd").readlink()
    files = (path for name in ("incoming", "active", "deferred") for path in (folder / name).rglob("*"))
    return sum(path.is_file() for path in files)


@contextlib.contextmanager
def aiosmtpd(kind: str) -> Iterator[tuple[int, int]]:
    """Stock aiosmtpd in a process of its own, `kind` "discard" or "sqlite": (port, process id)."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="zwrotka-bench-", dir="/var/tmp") as folder:
        command = [sys.executable, "-m", "tests.bench.peers", kind, str(port), folder]
        process = subprocess.Popen(command)
        try:
            wait_for(port)
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


class Discarding:
    """Takes a letter and forgets it."""

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook."""
        return "250 2.0.0 OK"


class Storing:
    """Keeps a letter in SQLite before the 250; a thread commits what waits together."""

    def __init__(self, folder: str) -> None:
        self._waiting: queue.Queue[tuple[bytes, asyncio.AbstractEventLoop, asyncio.Future[None]]] = queue.Queue()
        threading.Thread(target=self._write, args=(folder,), daemon=True).start()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        assert isinstance(envelope.content, bytes)
        self._waiting.put((envelope.content, loop, done))
        await done
        return "250 2.0.0 OK"

    def _write(self, folder: str) -> None:
        database = sqlite3.connect(f"{folder}/letters.sqlite3", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE letters (id INTEGER PRIMARY KEY, raw BLOB)")
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty() and len(batch) < 128:
                batch.append(self._waiting.get())
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO letters (raw) VALUES (?)", [(raw,) for raw, _, _ in batch])
            database.execute("COMMIT")
            for _, loop, done in batch:
                loop.call_soon_threadsafe(done.set_result, None)


async def serve(kind: str, port: int, folder: str) -> None:
    """Runs the peer until TERM."""
    handler: Any = Storing(folder) if kind == "sqlite" else Discarding()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=MAX_BYTES, loop=loop), "127.0.0.1", port, backlog=512
    )
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
