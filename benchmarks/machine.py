"""What the machine is and what a process used of it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path


def describe() -> dict[str, object]:
    """The machine and the versions that a figure belongs to."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time of all threads of a process, and how long they waited for a processor."""

    run_s: float
    wait_s: float

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(self.run_s - earlier.run_s, self.wait_s - earlier.wait_s)

    @property
    def wait_pct(self) -> float:
        """Waiting as a share of the time in which the threads wanted to run."""
        wanted = self.run_s + self.wait_s
        return 100.0 * self.wait_s / wanted if wanted else 0.0


def usage(pid: int | None = None) -> Usage:
    """From schedstat: user and system time in nanoseconds, not in clock ticks."""
    run = wait = 0
    for task in Path(f"/proc/{pid or 'self'}/task").iterdir():
        try:
            fields = (task / "schedstat").read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread ended while we looked
        run += int(fields[0])
        wait += int(fields[1])
    return Usage(run / 1e9, wait / 1e9)
