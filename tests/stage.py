"""python -m tests.stage MODULE [ARGUMENT...]: runs a process of the house with a played clock and played faults.

The product has no test code in it: this launcher changes the loaded modules and then runs MODULE as it is.
STAGE_PLAN names a JSON file: {"clock": PATH, "faults": [{"at": NAME, "do": DEED, ...}]}.
"""

import importlib
import json
import os
import runpy
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from services.chassis import clock
from services.chassis.errors import Unavailable

Function = Callable[..., Any]


def play(plan: dict[str, Any]) -> None:
    """Puts the plan into effect in this process."""
    if path := plan.get("clock"):
        _play_clock(Path(path))
    for fault in plan.get("faults", []):
        _play_fault(**fault)


def _play_clock(path: Path) -> None:
    """Lets the house's clock run ahead (or behind) by the seconds that the file holds, which may change at any time."""
    real = clock.now

    def now() -> Any:
        try:
            return real() + timedelta(seconds=float(path.read_text()))
        except FileNotFoundError:
            return real()

    _replace(real, now)


def _play_fault(*, at: str, do: str, nth: int = 1, times: int = 1, seconds: float = 0.0, armed_by: str = "") -> None:
    """Does `do` at the nth call of the function named `at` and at the `times - 1` calls after it (0: at all of them).

    `do` is one of: kill_before, kill_after, raise_before, raise_after (database errors), refuse_before, refuse_after
    (Unavailable), sleep_before, sleep_after. With `armed_by`, only calls made while that file exists are counted.
    """
    deed, _, moment = do.rpartition("_")
    deeds: dict[str, Callable[[], None]] = {"kill": _kill, "raise": _raise, "refuse": _refuse}
    act = deeds.get(deed) or partial(time.sleep, seconds)
    assert deed in ("kill", "raise", "refuse", "sleep"), do
    assert moment in ("before", "after"), do
    owner, name = _resolved(at)
    real: Function = getattr(owner, name)
    count = 0
    counting = threading.Lock()

    def is_due() -> bool:
        nonlocal count
        if armed_by and not Path(armed_by).exists():
            return False
        with counting:
            count += 1
            return count >= nth and (not times or count < nth + times)

    @wraps(real)
    def faulty(*arguments: Any, **named: Any) -> Any:
        due = is_due()
        if due and moment == "before":
            act()
        result = real(*arguments, **named)
        if due and moment == "after":
            act()
        return result

    setattr(owner, name, faulty)
    _replace(real, faulty)


def _resolved(path: str) -> tuple[Any, str]:
    """The module or class that holds what a dotted name names, and its name there."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise ModuleNotFoundError(path)


def _replace(old: Function, new: Function) -> None:
    """Puts `new` wherever a loaded module of ours holds `old`."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("services.", "zwrotka_client")):
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)


def _kill() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _raise() -> NoReturn:
    raise sa.exc.OperationalError("played", None, OSError("a played fault"))


def _refuse() -> NoReturn:
    raise Unavailable("played", "A played fault.")


def _end_with_the_tests() -> None:
    """Waits for standard input to close: whoever started this process is gone then, killed perhaps."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_the_tests, daemon=True).start()
    if plan_path := os.environ.pop("STAGE_PLAN", ""):
        play(json.loads(Path(plan_path).read_text(encoding="utf-8")))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
