"""What a process holds: what grows while nothing is added to its work is a leak."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """Memory, descriptors, threads and children of one process at one moment."""

    memory_bytes: int
    descriptors: int
    threads: int
    children: int

    @classmethod
    def by(cls, process_id: int) -> Held:
        proc = Path(f"/proc/{process_id}")
        status = dict(
            line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
        )
        return cls(
            memory_bytes=int(status["VmRSS"].split()[0]) * 1024,
            descriptors=len(list((proc / "fd").iterdir())),
            threads=int(status["Threads"]),
            children=len((proc / f"task/{process_id}/children").read_text().split()),
        )

    def least(self, other: Held) -> Held:
        return Held(
            min(self.memory_bytes, other.memory_bytes),
            min(self.descriptors, other.descriptors),
            min(self.threads, other.threads),
            min(self.children, other.children),
        )
