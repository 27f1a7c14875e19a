"""HHCRSP instances (Mankowska) as JSON: reading, best known costs, an independent checker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from resource_dispatch.optimiser.meetings import FAR, Meetings, Timetable

UNIT = 1000


def load(path: Path) -> Meetings:
    """Read one instance; times and distances become thousandths."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    travel = np.rint(np.array(stored["distances"]) * UNIT).astype(np.int64)
    carers = stored["caregivers"]
    where, able, service, release, due, job_of = [], [], [], [], [], []
    low, high = [], []
    for job, patient in enumerate(stored["patients"]):
        for care in patient["required_caregivers"]:
            where.append(job + 1)
            able.append([care["service"] in carer["abilities"] for carer in carers])
            service.append(round(care["duration"] * UNIT))
            release.append(round(patient["time_window"][0] * UNIT))
            due.append(round(patient["time_window"][1] * UNIT))
            job_of.append(job)
        meeting = patient.get("synchronization")
        gap = [0, FAR // UNIT] if meeting is None else [0, 0]
        if meeting is not None and meeting["type"] == "sequential":
            gap = meeting["distance"]
        low.append(round(gap[0] * UNIT))
        high.append(round(gap[1] * UNIT))

    def row(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(values, dtype=np.int64)

    return Meetings(
        travel=travel,
        home=np.zeros(len(carers), dtype=np.int64),
        where=row(where),
        able=np.array(able, dtype=np.int64).T,
        service=row(service),
        release=row(release),
        due=row(due),
        job_of=row(job_of),
        low=row(low),
        high=row(high),
    )


def best_known(folder: Path) -> dict[str, float]:
    """Published best total cost by file name, from `mankowska_best.md`."""
    table = {}
    for line in (folder / "mankowska_best.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells and cells[0].endswith(".json"):
            table[cells[0]] = float(cells[4])
    return table


def check(path: Path, timetable: Timetable) -> float:
    """The cost counted from the JSON alone; raises ValueError when a rule is broken."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    far = stored["distances"]
    care = [
        (number, patient, wanted)
        for number, patient in enumerate(stored["patients"])
        for wanted in patient["required_caregivers"]
    ]
    start = [t / UNIT for t in timetable.start]
    carer_of: dict[int, int] = {}
    distance = 0.0
    for m, route in enumerate(timetable.routes):
        clock, at = 0.0, 0
        for v in route:
            number, patient, wanted = care[v]
            if v in carer_of:
                raise ValueError(f"visit {v} twice")
            carer_of[v] = m
            if wanted["service"] not in stored["caregivers"][m]["abilities"]:
                raise ValueError(f"caregiver {m} cannot make visit {v}")
            clock += far[at][number + 1]
            distance += far[at][number + 1]
            if start[v] < clock - 0.01 or start[v] < patient["time_window"][0] - 0.01:
                raise ValueError(f"visit {v} starts too early")
            clock = start[v] + wanted["duration"]
            at = number + 1
        distance += far[at][0] if route else 0.0
    if len(carer_of) != len(care):
        raise ValueError("not every visit is made")
    for number, patient in enumerate(stored["patients"]):
        own = [v for v, c in enumerate(care) if c[0] == number]
        if len(own) == 2:
            gap = start[own[1]] - start[own[0]]
            kind = patient["synchronization"]
            least, most = kind["distance"] if kind["type"] == "sequential" else (0, 0)
            if carer_of[own[0]] == carer_of[own[1]] or not least - 0.01 <= gap <= most + 0.01:
                raise ValueError(f"the two visits of patient {number} do not meet")
    late = [max(0.0, start[v] - c[1]["time_window"][1]) for v, c in enumerate(care)]
    cost: float = (distance + sum(late) + max(late)) / 3
    return cost
