"""What the machine and its processes spent: CPU seconds, memory, and what others used meanwhile."""

import os
import platform
from pathlib import Path

import psutil


def cpu_s(root: int) -> float:
    """CPU seconds of a process and all below it, those already reaped included."""
    processes = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def busy_s() -> float:
    """CPU seconds all processes of the machine have spent."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq)


def pss_mb(root: int) -> dict[str, float]:
    """Proportional set size of each process of a tree by its command line, MB."""
    sizes: dict[str, float] = {}
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        kb = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        sizes[_name(process)] = kb / 1024
    return sizes


def peak_mb(root: int) -> dict[str, float]:
    """Highest resident set of each process of a tree so far, MB."""
    peaks: dict[str, float] = {}
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
        kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        peaks[_name(process)] = kb / 1024
    return peaks


def description() -> str:
    """The machine in a line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    module = words[words.index("-m") + 1 :] if "-m" in words else words[:1]
    return " ".join(module) or process.name()
