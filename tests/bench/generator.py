"""Sends letters over loopback as a lean mail client: plain sockets, one state machine per connection.

Run as `python -m tests.bench.generator PORT RCPT COUNT CONNECTIONS BYTES`; prints one JSON object.
"""

import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field

BOUND_S = 240


@dataclass
class Session:
    """One connection, one letter."""

    sock: socket.socket
    script: list[bytes]
    started: float
    reply: bytes = b""
    unsent: bytes = b""


@dataclass
class Result:
    """What the server answered: time from connect to the 250 for each letter (s), and the refusals."""

    latencies: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    started: float = 0.0
    ended: float = 0.0


def message(serial: str, rcpt: str, size: int) -> bytes:
    """A letter of about `size` bytes: short text, the rest a base64 attachment where it is large."""
    line = "Szanowni Państwo, w jezdni przy ulicy Długiej jest dziura głęboka na łokieć. "
    head = (
        f"From: Jan Nowak <jan.nowak@poczta.example>\r\nTo: {rcpt}\r\nSubject: Dziura w jezdni {serial}\r\n"
        f"Date: Wed, 25 Nov 2026 12:00:00 +0100\r\nMessage-ID: <{serial}@poczta.example>\r\nMIME-Version: 1.0\r\n"
    )
    if size <= 16_384:
        head += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        lines = max(1, (size - len(head)) // (len(line.encode()) + 2))
        return (head + f"{line}\r\n" * lines).encode()
    head += "Content-Type: multipart/mixed; boundary=granica\r\n\r\n--granica\r\n"
    head += f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{line}\r\n--granica\r\n"
    head += 'Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename="dziura.jpg"\r\n'
    head += "Content-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + (b"QUJD" * 19 + b"\r\n") * ((size - len(head)) // 78) + b"--granica--\r\n"


def send(port: int, rcpt: str, count: int, connections: int, size: int, run: str) -> Result:
    """Sends `count` letters over up to `connections` at once, a new connection for each."""
    selector = selectors.DefaultSelector()
    result = Result(started=time.perf_counter())
    begun = 0
    open_sessions = 0
    deadline = time.perf_counter() + BOUND_S
    while len(result.latencies) + len(result.refused) < count:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{len(result.latencies)} of {count} letters after {BOUND_S} s")
        while open_sessions < connections and begun < count:
            body = message(f"{run}-{begun}", rcpt, size)
            sock = socket.socket()
            started = time.perf_counter()
            sock.connect(("127.0.0.1", port))
            sock.setblocking(False)
            script = [
                b"EHLO bench.example\r\n",
                b"MAIL FROM:<jan.nowak@poczta.example>\r\n",
                f"RCPT TO:<{rcpt}>\r\n".encode(),
                b"DATA\r\n",
                body + b".\r\n",
                b"QUIT\r\n",
            ]
            selector.register(sock, selectors.EVENT_READ, Session(sock, script, started))
            begun += 1
            open_sessions += 1
        for key, events in selector.select(1.0):
            if not _step(selector, key.data, events, result):
                open_sessions -= 1
    result.ended = time.perf_counter()
    return result


def _step(selector: selectors.BaseSelector, session: Session, events: int, result: Result) -> bool:
    if events & selectors.EVENT_WRITE:
        session.unsent = session.unsent[session.sock.send(session.unsent) :]
        if not session.unsent:
            selector.modify(session.sock, selectors.EVENT_READ, session)
        return True
    received = session.sock.recv(4096)
    session.reply += received
    last_line = session.reply.rstrip(b"\r\n").rpartition(b"\n")[2]
    if received and not (session.reply.endswith(b"\n") and last_line[3:4] != b"-"):
        return True
    finished = len(session.script) == 1 and last_line[:1] == b"2"
    if finished:
        result.latencies.append(time.perf_counter() - session.started)
    elif last_line[:1] not in b"23" or not received:
        result.refused.append(last_line.decode("ascii", "replace") or "connection closed")
        session.script = []
    if session.script and not finished:
        session.reply = b""
        session.unsent = session.script.pop(0)
        sent = session.sock.send(session.unsent)
        session.unsent = session.unsent[sent:]
        if session.unsent:
            selector.modify(session.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, session)
        return True
    if finished:
        session.sock.send(b"QUIT\r\n")
    selector.unregister(session.sock)
    session.sock.close()
    return False


def main() -> None:
    """Runs from the command line's arguments."""
    port, rcpt, count, connections, size, run = sys.argv[1:7]
    result = send(int(port), rcpt, int(count), int(connections), int(size), run)
    json.dump(
        {
            "seconds": result.ended - result.started,
            "cpu_s": time.process_time(),
            "latencies_ms": sorted(round(each * 1000, 2) for each in result.latencies),
            "refused": result.refused,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
