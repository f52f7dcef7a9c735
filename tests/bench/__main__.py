"""`make bench`: all systems in turn, round after round; medians and ratios into RESULTS.md."""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine, peers, zwrotka

RESULTS = Path(__file__).with_name("RESULTS.md")
CONNECTIONS = 50
DRAIN_BOUND_S = 120
LETTERS = {4096: 1500, 204_800: 300}


@dataclass
class System:
    """A system under load: where it listens, the root of its processes, what it has not delivered yet."""

    name: str
    port: int
    pid: int
    rcpt: str
    waiting: Callable[[], int]


@dataclass
class Turn:
    """One turn of one system."""

    rate: float  # letters/s until the last 250
    sustained: float  # letters/s until all was delivered
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # per letter, all processes of the system, delivery included
    others: float  # cores that other processes used meanwhile, the generator's left out
    refused: int


def turn(system: System, size: int, count: int, run: str) -> Turn:
    """Sends `count` letters and waits until they are delivered."""
    cpu, busy, started = machine.cpu_s(system.pid), machine.busy_s(), time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.generator", str(system.port), system.rcpt]
    command += [str(count), str(CONNECTIONS), str(size), run]
    sent = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    while system.waiting() and time.perf_counter() - started < DRAIN_BOUND_S + sent["seconds"]:
        time.sleep(0.05)
    elapsed = time.perf_counter() - started
    used = machine.cpu_s(system.pid) - cpu
    others = (machine.busy_s() - busy - used - sent["cpu_s"]) / elapsed
    latencies = sent["latencies_ms"]
    return Turn(
        rate=len(latencies) / sent["seconds"],
        sustained=len(latencies) / elapsed,
        p50_ms=latencies[len(latencies) // 2],
        p99_ms=latencies[len(latencies) * 99 // 100],
        cpu_ms=used * 1000 / len(latencies),
        others=max(0.0, others),
        refused=len(sent["refused"]),
    )


def rounds(systems: list[System], size: int, number: int) -> dict[str, list[Turn]]:
    """`number` counted rounds after one that is thrown away, the order rotated."""
    turns: dict[str, list[Turn]] = {system.name: [] for system in systems}
    for each in range(number + 1):
        for system in systems[each % len(systems) :] + systems[: each % len(systems)]:
            done = turn(system, size, LETTERS[size], f"{size}-{each}-{time.time_ns()}")
            if each:
                turns[system.name].append(done)
            print(f"  {size // 1024} KB, round {each}, {system.name}: {done.rate:.0f}/s", file=sys.stderr, flush=True)
    return turns


COLUMNS = (
    "system",
    "letters/s",
    "x Postfix",
    "sustained/s",
    "p50 ms",
    "p99 ms",
    "CPU ms a letter",
    "x Postfix",
    "refused",
    "others' cores",
)


def table(turns: dict[str, list[Turn]]) -> str:
    """Medians, and ratios to the first system round by round."""
    reference = next(iter(turns.values()))
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for name, each in turns.items():
        pairs = list(zip(each, reference, strict=True))
        rows.append(
            (
                name,
                f"{_median(each, 'rate'):.0f}",
                f"{statistics.median(ours.rate / other.rate for ours, other in pairs):.2f}",
                f"{_median(each, 'sustained'):.0f}",
                f"{_median(each, 'p50_ms'):.0f}",
                f"{_median(each, 'p99_ms'):.0f}",
                f"{_median(each, 'cpu_ms'):.1f}",
                f"{statistics.median(ours.cpu_ms / other.cpu_ms for ours, other in pairs):.2f}",
                str(sum(turn.refused for turn in each)),
                f"{_median(each, 'others'):.2f}",
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def large_letters(house: zwrotka.House) -> str:
    """50 connections with 20 MB letters at once: what was answered, and how large the processes grew."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.generator",
        str(house.port),
        house.rcpt,
        "50",
        "50",
        str(20 << 20),
        "large",
    ]
    sent = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    peaks = machine.peak_mb(house.pid)
    later = sum(answer.startswith("451") for answer in sent["refused"])
    lines = [f"{len(sent['latencies_ms'])} accepted, {later} answered 451, {len(sent['refused']) - later} other.", ""]
    return "\n".join(lines + [f"- {name}: {size:.0f} MB at its peak" for name, size in peaks.items()])


def filled(letters: int, number: int) -> str:
    """Intake on a store with many letters, against the same house when it was new."""
    with zwrotka.house() as house:
        system = System("a house of its own", house.port, house.pid, house.rcpt, house.waiting)
        turn(system, 4096, LETTERS[4096], "warm")
        empty = [turn(system, 4096, LETTERS[4096], f"empty-{each}") for each in range(number)]
        house.fill(letters)
        while house.waiting():
            time.sleep(1)
        full = [turn(system, 4096, LETTERS[4096], f"full-{each}") for each in range(number)]
    rate = _median(full, "rate") / _median(empty, "rate")
    cpu = _median(full, "cpu_ms") / _median(empty, "cpu_ms")
    return (
        f"New: {_median(empty, 'rate'):.0f}/s, {_median(empty, 'cpu_ms'):.1f} ms of CPU a letter. "
        f"At {letters} letters: {_median(full, 'rate'):.0f}/s, {_median(full, 'cpu_ms'):.1f} ms. "
        f"x{rate:.2f} of the speed, x{cpu:.2f} of the CPU."
    )


def _median(turns: list[Turn], name: str) -> float:
    return float(statistics.median(getattr(turn, name) for turn in turns))


def main() -> None:
    """Runs everything and writes RESULTS.md."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="counted rounds of each system")
    options.add_argument(
        "--filled", type=int, default=100_000, help="letters in the store for the last part; 0: leave out"
    )
    chosen = options.parse_args()
    conditions = f"{machine.description()}. {CONNECTIONS} connections, a new one for each letter, all systems on this "
    conditions += "machine with the generator; first round thrown away, turns in rotation; medians."
    sections = [f"# Figures\n\n{conditions}"]
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(zwrotka.house())
        time.sleep(5)
        sizes = machine.pss_mb(house.pid)
        port, master = stack.enter_context(peers.postfix())
        systems = [System("Postfix to Maildir", port, master, peers.RCPT, lambda: peers.waiting_in_postfix(master))]
        for kind, name in (("discard", "aiosmtpd, discards"), ("sqlite", "aiosmtpd, durable SQLite")):
            port, pid = stack.enter_context(peers.aiosmtpd(kind))
            systems.append(System(name, port, pid, peers.RCPT, lambda: 0))
        ours = System("Zwrotka, receipts before each 250", house.port, house.pid, house.rcpt, house.waiting)
        systems.append(ours)
        for size in LETTERS:
            sections.append(f"## Letters of {size // 1024} KB\n\n{table(rounds(systems, size, chosen.rounds))}")
        idle = "\n".join(f"- {name}: {size:.0f} MB" for name, size in sizes.items())
        sections.append(f"## Idle memory (PSS)\n\n{sum(sizes.values()):.0f} MB in all.\n\n{idle}")
        sections.append(f"## 50 letters of 20 MB at once\n\n{large_letters(house)}")
    if chosen.filled:
        print("  filling a store ...", file=sys.stderr, flush=True)
        sections.append(f"## A full store\n\n{filled(chosen.filled, chosen.rounds)}")
    RESULTS.write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
