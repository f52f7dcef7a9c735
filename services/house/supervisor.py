"""Starts every process of the house, starts again what dies, stops all. Stays small: imports neither gRPC nor SQL."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.chassis.settings import PREFIX, Settings, SettingsError
from services.house import panel, urls
from services.house.voice import say

GRACE_S = 8.0
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means: stay
    _SIGNALS.add(signal.SIGHUP)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _STEADY_S, _PROBATION_S = 0.5, 30.0, 60.0, 1.5
_MAX_LOG_BYTES = 32 << 20
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class _Stop(Exception):
    """TERM, INT or HUP came."""


@dataclass
class Child:
    """A process of the house. `due_at` (monotonic) says when it is started again while it is down."""

    role: str
    command: list[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    deaths: int = field(default=0)


def run(settings: Settings) -> None:
    """Runs the house until TERM or INT."""
    home = settings.home_path
    with _locked(home):
        ready = home / "ready.json"
        ready.unlink(missing_ok=True)  # of a house that was killed
        _must_find_ports_free(settings)
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        house = _House(settings)
        try:
            house.open()
            say(panel.text(settings))
            house.stay()
        except _Stop:
            say("\nStopping ...")
        finally:
            ready.unlink(missing_ok=True)
            house.stop()
    say("All stopped. `make run` goes on where this ended.")


class _House:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._logs = settings.home_path / "logs"
        self._children: list[Child] = []
        self._is_open = False

    def open(self) -> None:
        """Prepares the home, starts all processes and waits until each answers."""
        say(f"Preparing {self._settings.home_path} ...")
        self._must_succeed("prepare")
        self._children = list(children(self._settings))
        for child in self._children:
            self._start(child)
        self._must_succeed("open")
        # Some have no port to ask: they are taken to work once they have not fallen for a while.
        while any(not child.process or time.monotonic() - child.started_at < _PROBATION_S for child in self._children):
            self._next_event(0.2)
        (self._settings.home_path / "ready.json.draft").replace(self._settings.home_path / "ready.json")
        self._is_open = True

    def stay(self) -> None:
        """Looks after the children; ends by _Stop."""
        while True:
            self._next_event(60.0)
            for child in self._children:
                _shorten(self._logs / f"{child.role}.log")

    def stop(self) -> None:
        """Asks all to end, and ends what has not after GRACE_S."""
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()  # every process may be killed at any time: what it promised is on disk
                process.wait()

    def _must_succeed(self, command: str) -> None:
        """Runs a short command of the house to its end, looking after the children meanwhile."""
        environment = {**os.environ, f"{PREFIX}HOME": str(self._settings.home_path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "services", command], env=environment, preexec_fn=_begin, start_new_session=True
        )
        try:
            while process.poll() is None:
                self._next_event(60.0)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise SystemExit(process.returncode)

    def _next_event(self, timeout_s: float) -> None:
        """Waits for a signal or a child's due start; raises _Stop."""
        now = time.monotonic()
        due_in_s = [child.due_at - now for child in self._children if not child.process]
        event = signal.sigtimedwait(_SIGNALS, max(0.0, min([timeout_s, *due_in_s])))
        if event and event.si_signo != signal.SIGCHLD:
            raise _Stop
        for child in self._children:
            if child.process and child.process.poll() is not None:
                self._mourn(child)
            elif not child.process and child.due_at <= time.monotonic():
                self._start(child)

    def _mourn(self, child: Child) -> None:
        assert child.process
        code, child.process = child.process.returncode, None
        if time.monotonic() - child.started_at > _STEADY_S:
            child.pause_s, child.deaths = _FIRST_PAUSE_S, 0
        child.deaths += 1
        cause = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        log = self._logs / f"{child.role}.log"
        if not self._is_open and child.deaths > 3:
            raise SettingsError(f"{child.role} {cause}, time and again: {_last_line(log)} (All of it: {log})")
        say(f"{child.role} {cause}; it is started again in {child.pause_s:g} s. Its log: {log}")
        child.due_at = time.monotonic() + child.pause_s
        child.pause_s = min(child.pause_s * 2, _LONGEST_PAUSE_S)

    def _start(self, child: Child) -> None:
        with (self._logs / f"{child.role}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                env=child.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_begin,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends the others in order
            )
        child.started_at = time.monotonic()


def children(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[Child]:
    """Every process of the house. Each service gets the URL of its own database, the front door none."""
    common = {name: value for name, value in environ.items() if not name.startswith(f"{PREFIX}DATABASE")}
    common[f"{PREFIX}HOME"] = str(settings.home_path)
    for service in urls.SERVICES:
        own = {f"{PREFIX}DATABASE": urls.service_url(settings, service)} if settings.database else {}
        yield Child(service, [sys.executable, "-m", f"services.{service}"], common | own)
    for room in rooms(settings):
        yield Child(room, [sys.executable, "-m", "services.frontdoor", room], common)


def rooms(settings: Settings) -> list[str]:
    """The front door's rooms that are open with these settings."""
    return ["mail", "courier", "web", *(["telegram"] if settings.telegram_token else [])]


def _begin() -> None:
    """In a child, before it becomes its program: signals as usual, and death with the supervisor, even a killed one,
    so that the next start finds the ports free."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (home / "lock").open("a+")
    except OSError as error:
        raise SettingsError(
            f"The home {home} cannot be written: {error.strerror}. Free it, or set ZWROTKA_HOME to another folder."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SettingsError(
                f"A house runs on {home} already, as process {lock.read().strip()}. "
                "Stop it, or set ZWROTKA_HOME to another folder (and other ports)."
            ) from error
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        yield


def _must_find_ports_free(settings: Settings) -> None:
    with ExitStack() as sockets:
        for name in ("smtp", "web", *urls.SERVICES):
            port, variable = settings.port_of(name), f"{PREFIX}{name.upper()}_PORT"
            listener = sockets.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((settings.listen, port))
                listener.listen()
            except OSError as error:
                raise SettingsError(
                    f"Port {port} ({variable}) cannot be used: {(error.strerror or str(error)).lower()}. "
                    f"Stop what listens there, or choose another: {variable}={port % 60000 + 1000} make run"
                ) from error


def _shorten(log: Path) -> None:
    """Keeps a log near _MAX_LOG_BYTES, and one before it. What is written between copy and cut is lost."""
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace")[-4000:].strip().splitlines()
    return lines[-1] if lines else "it said nothing."
