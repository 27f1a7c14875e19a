"""What the stand-in server says about dispatch plans and coverage studies.

It keeps the API's shapes: a plan is ready at once, one team must be asked, and with a wind told
the last line leads through the plume.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.console.situation import Json, at, new_id

TEAMS = (
    ("演示翁城专职消防站", "order", 8, (113.80, 24.38)),
    ("演示连平企业专职队", "request", 61, (114.49, 24.37)),
    ("演示粤北危化队", "order", 72, (113.60, 24.80)),
)
FALLBACK = "商请，按近12次答复估计83%会同意；若10分钟后婉拒，改命令演示粤北危化队"
FIGURES = {
    "served": 3,
    "unserved": 0,
    "late": 1,
    "mean_arrive_minutes": 47,
    "last_arrive_minutes": 72,
    "distance_km": 132,
    "cover_missing": 0,
}


class DispatchAnswers:
    """Plans that were asked for and studies that were started, by id."""

    def __init__(self) -> None:
        self.plans: dict[str, Json] = {}
        self.studies: list[Json] = []
        self._names = [new_id() for _ in TEAMS]

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("POST", "/dispatch-plans", self.ask),
            ("GET", "/dispatch-plans/newest", self.newest),
            ("GET", "/dispatch-plans/{plan}", self.read),
            ("GET", "/incidents/{id}/dispatch-overrides", self.overrides),
            ("GET", "/sweeps", self.list_studies),
            ("POST", "/sweeps", self.start_study),
            ("GET", "/sweeps/{study}", self.read_study),
            ("POST", "/sweeps/{study}/cancel", self.cancel_study),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        question = {"closed_circles": [], **await request.json()}
        first = question["previous_plan_id"] is None
        names = ["first"] if first else ["insert_only", "balanced", "free"]
        made = {
            "id": new_id(),
            "state": "ready",
            "created_at": at(),
            "created_by": "陈示一",
            "finished_at": at(),
            "is_drill": False,
            "question": question,
            "alternatives": [self._answer(name, question) for name in names],
            "orders": [],
            "accepted": [],
        }
        self.plans[made["id"]] = made
        return web.json_response(made, status=201)

    def _answer(self, name: str, question: Json) -> Json:
        lines = [
            self._line(row, question)
            for row in range(len(TEAMS))
            if self._names[row] not in question["lost_team_ids"]
        ]
        return {
            "name": name,
            "cost": 100_000,
            "gain": 0,
            "solver": "columns",
            "gap": 0.004,
            "note": None,
            "terms": {},
            "figures": {**FIGURES, "served": len(lines), "unserved": len(TEAMS) - len(lines)},
            "changes": [],
            "cover": [],
            "lines": lines,
            "materials": [],
            "unassigned": [],
        }

    def _line(self, row: int, question: Json) -> Json:
        name, authority, minutes, start = TEAMS[row]
        is_asked = authority == "request"
        return {
            "id": new_id(),
            "incident_id": question["incident_ids"][0],
            "task_id": new_id(),
            "task_text": f"K0{row + 3} 堵漏",
            "need": 0,
            "team_id": self._names[row],
            "team_name": name,
            "skills": ["堵漏"],
            "crew": 12,
            "authority": authority,
            "depart_at": at(2),
            "arrive_at": at(2 + minutes),
            "start_at": at(2 + minutes),
            "finish_at": at(62 + minutes),
            "travel_minutes": minutes,
            "distance_km": minutes * 0.9,
            "route": [list(start), [113.83, 24.45], [113.86, 24.40]],
            "reason": f"具备“堵漏”能力，{minutes}分钟到场",
            "runner_up": None,
            "runner_up_cost": None,
            "fallback": FALLBACK if is_asked else None,
            "is_override": False,
            "is_changed": False,
            "is_downwind": bool(question["plumes"]) and row == len(TEAMS) - 1,
        }

    async def newest(self, _: web.Request) -> web.Response:
        plan = list(self.plans.values())[-1] if self.plans else None
        return web.json_response({"plan": plan})

    async def read(self, request: web.Request) -> web.Response:
        return web.json_response(self.plans[request.match_info["plan"]])

    async def overrides(self, _: web.Request) -> web.Response:
        return web.json_response({"items": []})

    # --- studies --------------------------------------------------------------------------

    def study(self, name: str, lost: list[int], made: int) -> Json:
        """One study with `made` draws of each share of teams lost, of 100 wanted."""
        question = {"name": name, "draws": 100, "lost_pct": lost, "incidents": 2, "tasks_each": 3}
        question |= {"closures": 1, "golden_minutes": 60, "seed": 1}
        found = {
            "id": new_id(),
            "name": name,
            "state": "running" if made < 100 else "done",
            "question": question,
            "team_count": 63,
            "wanted": 100 * len(lost),
            "made": made * len(lost),
            "created_at": at(-5),
            "created_by": "陈示一",
            "finished_at": None if made < 100 else at(),
            "variants": [_variant(share, made) for share in lost] if made else [],
            "regions": [
                {
                    "region_code": "441900",
                    "incidents": 9,
                    "reached_pct": 33.3,
                    "first_minutes_p50": 71,
                },
                {
                    "region_code": "440200",
                    "incidents": 21,
                    "reached_pct": 95.2,
                    "first_minutes_p50": 24,
                },
            ]
            if made
            else [],
        }
        self.studies.insert(0, found)
        return found

    async def list_studies(self, _: web.Request) -> web.Response:
        hidden = ("variants", "regions")
        rows = [{k: v for k, v in one.items() if k not in hidden} for one in self.studies]
        return web.json_response({"items": rows})

    async def start_study(self, request: web.Request) -> web.Response:
        wish = await request.json()
        made = self.study(wish["name"], wish["lost_pct"], 0)
        return web.json_response(made, status=201)

    async def read_study(self, request: web.Request) -> web.Response:
        wanted = request.match_info["study"]
        return web.json_response(next(one for one in self.studies if one["id"] == wanted))

    async def cancel_study(self, request: web.Request) -> web.Response:
        wanted = request.match_info["study"]
        found = next(one for one in self.studies if one["id"] == wanted)
        found["state"] = "cancelled"
        return web.json_response(found)


def _variant(lost: int, made: int) -> Json:
    minutes = {"p10": 12, "p25": 19, "p50": 27, "p75": 40, "p90": 58}
    return {
        "lost_pct": lost,
        "draws": made,
        "served_pct": 98.4 - lost / 10,
        "late_pct": 4.2 + lost,
        "reached_pct": 91.0 - lost,
        "first_minutes": {name: value + lost for name, value in minutes.items()},
        "last_minutes_p90": 140,
        "cover_missing": 1.2,
    }
