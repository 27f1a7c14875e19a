"""What this machine says of the installation. Blocking: called in a thread."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from sqlalchemy import make_url

from ..settings import Settings

SAMPLE_S = 0.25
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """Processes of one kind: `kind` is supervisor, database, node, gateway, web, worker, camera,
    solver or other. `cpu_pct` is of one core, over the last quarter of a second."""

    kind: str
    pids: tuple[int, ...]
    started_at: datetime
    memory_mib: int
    cpu_pct: float


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that holds a folder."""

    folder: str
    total_mib: int
    free_mib: int


def kind_of(words: list[str]) -> str:
    """What a process of ours is, by its command line."""
    line = " ".join(words)
    if words and Path(words[0]).name.startswith("postgres"):
        return "database"
    for part, kind in (
        ("video_bridge.node", "node"),
        ("video_bridge.ingest", "camera"),
        ("video_bridge", "recorder"),
        ("resource_dispatch", "solver"),
        ("multiprocessing", "solver"),
    ):
        if part in line:
            return kind
    for word in ("serve", "gateway", "web", "worker"):
        if word in words:
            return "supervisor" if word == "serve" else word
    return "other"


def family() -> list[psutil.Process]:
    """The supervisor with all its descendants; the web process alone where nobody supervises."""
    me = psutil.Process()
    parent = me.parent()
    if parent is None or kind_of(_words(parent)) != "supervisor":
        return [me, *me.children(recursive=True)]
    return [parent, *parent.children(recursive=True)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


@dataclass(frozen=True, slots=True)
class _Reading:
    kind: str
    pid: int
    started: float
    memory: int
    cpu_s: float


def _read(processes: Iterable[psutil.Process]) -> dict[int, _Reading]:
    found = {}
    for process in processes:
        try:
            with process.oneshot():
                times = process.cpu_times()
                found[process.pid] = _Reading(
                    kind_of(process.cmdline()),
                    process.pid,
                    process.create_time(),
                    process.memory_info().rss,
                    times.user + times.system,
                )
        except psutil.Error:
            continue  # it ended while we looked
    return found


def process_groups() -> list[ProcessGroup]:
    """Every kind that runs, in the order in which they were started."""
    processes = family()
    before, began = _read(processes), time.monotonic()
    time.sleep(SAMPLE_S)
    after, passed = _read(processes), time.monotonic() - began
    kinds: dict[str, list[_Reading]] = {}
    for reading in sorted(after.values(), key=lambda one: one.started):
        kinds.setdefault(reading.kind, []).append(reading)
    return [
        ProcessGroup(
            kind,
            tuple(one.pid for one in members),
            datetime.fromtimestamp(members[0].started, UTC),
            round(sum(one.memory for one in members) / _MIB),
            round(
                sum(
                    100 * (one.cpu_s - before[one.pid].cpu_s) / passed
                    for one in members
                    if one.pid in before
                ),
                1,
            ),
        )
        for kind, members in kinds.items()
    ]


class Installation:
    """Built by the composition root with the settings in force."""

    def __init__(self, settings: Settings, version: str) -> None:
        self._settings = settings
        self.version = version

    def settings_in_force(self) -> list[tuple[str, str, bool]]:
        """Name, value without secrets, and whether it is the default."""
        shown = []
        for name, field in Settings.model_fields.items():
            value = getattr(self._settings, name)
            text = "" if value is None else str(value)
            if name == "database_url" and value:
                text = make_url(value).render_as_string(hide_password=True)
            shown.append((name, text, value == field.get_default(call_default_factory=True)))
        return shown

    def disks(self) -> list[Disk]:
        """Where data and recordings are written."""
        found = []
        for folder in (self._settings.var_dir, self._settings.recordings_dir):
            there = folder.absolute()
            while not there.exists():
                there = there.parent
            usage = shutil.disk_usage(there)
            found.append(Disk(str(folder), usage.total // _MIB, usage.free // _MIB))
        return found

    @staticmethod
    def machine() -> str:
        return f"{platform.system()} {platform.release()}, {psutil.cpu_count() or 1} cores"
