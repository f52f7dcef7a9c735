"""The house as `make run` runs it, under its supervisor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import house_in, must_add_up
from tests.house import House, until


class Supervised:
    """A house under `python -m services run`."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.output = house.home.with_name(f"{house.home.name}.out")

    def run(self) -> None:
        """Starts it and waits until ready.json says that it is ready: a new one, not what a killed house left."""
        self._started_at = time.time()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services", "run"],
                env=self.house.environment,
                cwd=Path(__file__).parent.parent.parent,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until(self._is_ready, timeout_s=60)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code. TimeoutExpired if that takes more than the 10 s promised."""
        self.process.send_signal(how)
        return self.process.wait(10)

    def children(self) -> dict[str, int]:
        """Process ids by role."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {_words_of(pid)[-1].removeprefix("services."): int(pid) for pid in listed}

    def said(self, text: str) -> Callable[[], bool]:
        """Whether it has printed that by now."""
        return lambda: text in self.output.read_text(encoding="utf-8")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text(encoding="utf-8")
        ready = self.house.home / "ready.json"
        return ready.exists() and ready.stat().st_mtime > self._started_at


@pytest.fixture(scope="module")
def supervised(
    request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervised]:
    """A running house. Who ends it runs it again."""
    running = Supervised(house_in(request, database, tmp_path_factory.mktemp("supervised") / "home"))
    running.run()
    yield running
    running.end()
    must_add_up(running.house)


def _words_of(pid: str) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
