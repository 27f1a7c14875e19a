"""A small server that speaks API v1 from memory, so that pages are tested without a database.

It keeps the API's shapes and its rules of state; it decides nothing about emergencies.
Run it by hand with `python -m tests.console.stand_in 8090`.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web

from command_center.security.permissions import Role, permissions_of
from command_center.web.middlewares import HEADERS
from tests.console import situation
from tests.console.dispatch_answers import DispatchAnswers
from tests.console.situation import Json, at, new_id

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "command_center" / "web" / "dist"
BOUNDARIES = ROOT / "command_center" / "onemap" / "boundaries"
TOKEN = "demo-token"
PASSWORD = "right-password"
GREY_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJ"
    "DRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)
STATES = {"receive": "received", "accept": "accepted", "arrive": "accepted", "done": "done"}
STATES["decline"] = "declined"
DESK_ORDERS = [
    *(
        (how, f"/{name}")
        for how in ("POST", "DELETE")
        for name in ("broadcast", "roll-call", "lock")
    ),
    ("POST", "/mute-all"),
    ("POST", "/polling"),
]


def problem(status: int, code: str, detail: str, **fields: str) -> web.Response:
    """An RFC 9457 answer with words in both languages."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code}
    body |= {"detail": detail, "detail_en": code.replace("_", " "), "fields": fields}
    return web.json_response(body, status=status, content_type="application/problem+json")


class StandIn:
    """State of one test: change it between page actions, then `emit` what a server would."""

    def __init__(self, incidents: int = 3) -> None:
        self.renew_sockets()
        self.seq = 0
        self.logged_in = True
        self.user: Json = {**USER, "permissions": list(USER["permissions"])}
        self.phone_state = "not_joined"
        self.phone_reason: str | None = None
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: dict[str, web.Response] = {}
        self.incidents: dict[str, Json] = {}
        self.tasks: dict[str, list[Json]] = {}
        self.orders: dict[str, list[Json]] = {}
        self.timeline: dict[str, list[Json]] = {}
        self.consultations: dict[str, Json] = {}
        self.proposals: dict[str, Json] = {}
        self.bans: list[Json] = []
        self.dispatching = DispatchAnswers()
        self.sites: list[Json] = situation.halls(places("会场", 144))
        self.content: Json = {"holder": None, "queue": [], "locked_to": None}
        self._seed(incidents)

    def renew_sockets(self) -> None:
        """A fresh Socket.IO server, for a start after a stop."""
        self.sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])

    def _seed(self, count: int) -> None:
        first = situation.incident("翁源演示精细化工有限公司液氯泄漏", "GD-2026-0001")
        rest = [
            situation.incident(
                f"演示仓库火灾 {index}",
                f"GD-2026-{index:04d}",
                event_type="fire",
                is_drill=index % 2 == 0,
                longitude=112.2 + index % 17 * 0.2,
                latitude=22.8 + index % 5 * 0.3,
                grade={"value": None, "label": "待核", "criterion": "信息不足", "stage": "初判"},
                near_accident={"recognised": False, "criteria": []},
                clocks=[situation.clock("县→市 2 小时", -20, 60 + index, "市应急管理局")],
            )
            for index in range(2, count + 1)
        ]
        for item in [first, *rest]:
            self.incidents[item["id"]] = item
            self.tasks[item["id"]] = []
            self.orders[item["id"]] = []
            self.timeline[item["id"]] = []
        self.first = first["id"]
        self.note(self.first, "陈示一 接报并建立事件")

    def note(self, incident_id: str, text: str) -> None:
        """Add a line to the timeline."""
        entry = {"id": new_id(), "at": at(), "kind": "note", "actor_name": "陈示一"}
        self.timeline[incident_id].append({**entry, "text": text, "body": None})

    def open_consultation(self) -> Json:
        """Open the consultation with a roster in every state."""
        found: Json = {
            "id": new_id(),
            "number": "HS-2026-0001",
            "dial_number": "80001",
            "pin": "246810",
            "title": "翁源液氯泄漏 会商",
            "incident_id": self.first,
            "state": "open",
            "is_drill": False,
            "opened_at": at(-10),
            "layout": {"panes": None, "seats": None, "arrangement": None, "speaker": None},
            "control": situation.control(),
            "alarms": [],
            "participants": situation.roster(),
        }
        self.consultations[found["id"]] = found
        self.incidents[self.first]["consultation_id"] = found["id"]
        return found

    async def emit(self, kind: str, **ids: Any) -> None:
        """Tell every page that something happened."""
        self.seq += 1
        event = {"seq": self.seq, "type": kind, "at": at(), "actor": "陈示一", "body": {}}
        await self.sio.emit("event", {"incident_id": None, "consultation_id": None, **event, **ids})

    # --- the application ------------------------------------------------------------------

    def application(self) -> web.Application:
        """The routes of API v1 that the console calls, and the built console itself."""
        app = web.Application(middlewares=[self._record])
        self.sio.attach(app)
        add = app.router.add_route
        api = "/api/v1"
        for method, path, route in self._routes():
            add(method, api + path, route)
        app.router.add_get("/{tail:.*}", self._page)
        return app

    def _routes(self) -> list[tuple[str, str, Any]]:
        one = "/incidents/{id}"
        meeting = "/consultations/{id}"
        return [
            ("GET", "/session", self.get_session),
            ("POST", "/session", self.post_session),
            ("DELETE", "/session", self.delete_session),
            ("GET", "/health", self.health),
            ("GET", "/config", self.config),
            ("GET", "/events", self.items_of([])),
            ("GET", "/incidents", self.list_incidents),
            ("POST", "/incidents", self.post_incident),
            ("GET", one, self.get_incident),
            ("GET", one + "/reports", self.items_of([])),
            ("POST", one + "/reports", self.post_report),
            ("GET", one + "/timeline", self.by_incident("timeline")),
            ("POST", one + "/timeline", self.post_timeline),
            ("POST", one + "/clocks/{clock}/done", self.clock_done),
            ("POST", one + "/close", self.close_incident),
            ("GET", one + "/plan-proposals", self.plan_proposals),
            ("POST", one + "/responses", self.activate),
            ("GET", one + "/tasks", self.by_incident("tasks")),
            ("PATCH", one + "/tasks/{task}", self.patch_task),
            ("POST", one + "/dispatch-proposals", self.propose),
            ("POST", "/dispatch-proposals/{pid}/confirm", self.confirm),
            ("GET", one + "/orders", self.by_incident("orders")),
            ("POST", "/orders/{order}/{step}", self.step_order),
            ("GET", one + "/consultation-proposal", self.consultation_proposal),
            ("POST", one + "/consultations", self.post_consultation),
            ("GET", "/consultations", self.list_consultations),
            ("GET", meeting, self.get_consultation),
            ("GET", meeting + "/picture.jpg", self.picture),
            ("POST", meeting + "/participants", self.done),
            ("POST", meeting + "/participants/{pid}/{action}", self.act),
            ("DELETE", meeting + "/participants/{pid}", self.remove_participant),
            ("POST", meeting + "/call-absent", self.done),
            ("PUT", meeting + "/layout", self.put_layout),
            ("GET", meeting + "/content", self.get_content),
            ("POST", meeting + "/content/take-back", self.take_content_back),
            ("PUT", meeting + "/content/lock", self.lock_content),
            *((how, meeting + path, self.order) for how, path in DESK_ORDERS),
            ("GET", "/source-bans", self.items_of(self.bans)),
            ("POST", "/source-bans/pardon", self.pardon),
            ("PUT", "/sites/{id}/{what}", self.done),
            ("GET", "/sites", self.items_of(self.sites)),
            ("GET", "/consultation-templates", self.items_of([])),
            ("GET", "/consultation-reservations", self.items_of([])),
            ("POST", meeting + "/join-tokens", self.join_token),
            ("POST", meeting + "/close", self.close_consultation),
            ("POST", meeting + "/session", self.session_refused),
            ("GET", "/plans", self.plans),
            ("GET", "/map/boundaries", self.boundaries),
            ("GET", "/join/{token}", self.get_join),
            ("POST", "/join/{token}/orders/{order}/{step}", self.step_order),
            *(("GET", f"/{name}", self.library(name)) for name in LIBRARIES),
            *self.dispatching.routes(),
        ]

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        is_json = request.content_type == "application/json" and request.can_read_body
        body = await request.json() if is_json else None
        path = request.path.removeprefix("/api/v1")
        self.requests.append((request.method, path, body))
        if request.method != "GET" and request.headers.get("X-CSRF") != "1":
            return problem(403, "csrf_missing", "请求缺少校验头")
        refusal = self.refuse.pop(f"{request.method} {path}", None)
        if refusal is not None:
            return refusal
        public = path.startswith(("/session", "/health", "/config", "/join"))
        if not self.logged_in and not public:
            return problem(401, "not_authenticated", "请先登录")
        found: web.StreamResponse = await handler(request)
        return found

    def sent(self, method: str, ending: str) -> list[Any]:
        """Bodies of the requests of this method whose path ends so."""
        return [b for m, path, b in self.requests if m == method and path.endswith(ending)]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        wanted = DIST / request.match_info["tail"]
        # The product's own headers, so that its content security policy binds here too.
        return web.FileResponse(
            wanted if wanted.is_file() else DIST / "index.html", headers=HEADERS
        )

    def items_of(self, items: list[Json]) -> Any:
        """A route that answers a fixed list."""

        async def answer(_: web.Request) -> web.Response:
            return web.json_response({"items": items})

        return answer

    def by_incident(self, name: str) -> Any:
        """A route that answers one of the lists kept by incident."""

        async def answer(request: web.Request) -> web.Response:
            return web.json_response({"items": getattr(self, name)[request.match_info["id"]]})

        return answer

    def library(self, name: str) -> Any:
        """A route that answers one library's places."""
        return self.items_of(LIBRARIES[name])

    # --- session ----------------------------------------------------------------------------

    async def get_session(self, _: web.Request) -> web.Response:
        if not self.logged_in:
            return problem(401, "not_authenticated", "请先登录")
        return web.json_response({"user": self.user})

    async def post_session(self, request: web.Request) -> web.Response:
        if (await request.json())["password"] != PASSWORD:
            return problem(401, "invalid_credentials", "账号或密码不正确")
        self.logged_in = True
        return web.json_response({"user": self.user})

    async def delete_session(self, _: web.Request) -> web.Response:
        self.logged_in = False
        return web.Response(status=204)

    async def health(self, _: web.Request) -> web.Response:
        parts = [{"name": name, "state": "ok", "detail": ""} for name in ("database", "gateway")]
        return web.json_response({"status": "ok", "components": parts})

    async def config(self, _: web.Request) -> web.Response:
        place = {"center": [113.3, 23.4], "zoom": 6.3}
        body = {"demo": True, "is_drill_mode": False, "version": "0.1.0", "public_url": ""}
        return web.json_response({**body, "map": place})

    # --- incidents ------------------------------------------------------------------------

    async def list_incidents(self, request: web.Request) -> web.Response:
        state = request.query.get("state", "open")
        found = [i for i in self.incidents.values() if state in ("all", i["state"])]
        return web.json_response({"items": found})

    async def get_incident(self, request: web.Request) -> web.Response:
        found = self.incidents.get(request.match_info["id"])
        return web.json_response(found) if found else problem(404, "not_found", "没有这起事件")

    async def post_incident(self, request: web.Request) -> web.Response:
        report = await request.json()
        made = situation.incident(report["title"], f"GD-2026-{len(self.incidents) + 1:04d}")
        made |= {"casualties": report["casualties"], "is_drill": report["is_drill"]}
        self.incidents[made["id"]] = made
        for store in (self.tasks, self.orders, self.timeline):
            store[made["id"]] = []
        await self.emit("incident.created", incident_id=made["id"])
        return web.json_response({"incident": made, "report": report}, status=201)

    async def post_report(self, request: web.Request) -> web.Response:
        found = self.incidents[request.match_info["id"]]
        report = await request.json()
        found["casualties"] = report["casualties"]
        return web.json_response({"incident": found, "report": report}, status=201)

    async def post_timeline(self, request: web.Request) -> web.Response:
        self.note(request.match_info["id"], (await request.json())["text"])
        await self.emit("timeline.added", incident_id=request.match_info["id"])
        return web.json_response({}, status=201)

    async def clock_done(self, request: web.Request) -> web.Response:
        for clock in self.incidents[request.match_info["id"]]["clocks"]:
            if clock["id"] == request.match_info["clock"]:
                clock |= {"done_at": at(), "state": "late" if clock["due_at"] < at() else "done"}
        return await self.done(request)

    async def close_incident(self, request: web.Request) -> web.Response:
        self.incidents[request.match_info["id"]]["state"] = "closed"
        return await self.done(request)

    async def plan_proposals(self, _: web.Request) -> web.Response:
        name = "省危险化学品生产安全事故应急预案（演示版）"
        reasons = ["物质为液氯", "已构成较大涉险", "下风向跨市"]
        plan = {"plan_id": PLAN, "name": name, "score": 0.93, "reasons": reasons}
        return web.json_response({"items": [{**plan, "suggested_level": 3}]})

    async def activate(self, request: web.Request) -> web.Response:
        found = self.incidents[request.match_info["id"]]
        body = await request.json()
        response = {**body, "id": new_id(), "declared_by": "林示二", "declared_at": at()}
        found["responses"].append(response)
        found["plan_id"] = body["plan_id"]
        self.tasks[found["id"]] = situation.tasks()
        await self.emit("response.activated", incident_id=found["id"])
        made = {"response": response, "tasks": self.tasks[found["id"]]}
        return web.json_response(made, status=201)

    async def patch_task(self, request: web.Request) -> web.Response:
        for task in self.tasks[request.match_info["id"]]:
            if task["id"] == request.match_info["task"]:
                task["state"] = (await request.json())["state"]
        return await self.done(request)

    async def propose(self, request: web.Request) -> web.Response:
        made = situation.proposal(self.tasks[request.match_info["id"]])
        self.proposals[made["id"]] = {**made, "incident_id": request.match_info["id"]}
        return web.json_response(made, status=201)

    async def confirm(self, request: web.Request) -> web.Response:
        made = self.proposals[request.match_info["pid"]]
        chosen = (await request.json())["line_ids"]
        orders = [order_of(line) for line in made["lines"] if line["id"] in chosen]
        self.orders[made["incident_id"]] += orders
        await self.emit("order.updated", incident_id=made["incident_id"])
        return web.json_response({"orders": orders}, status=201)

    async def step_order(self, request: web.Request) -> web.Response:
        step = request.match_info["step"]
        for order in itertools_chain(self.orders):
            if order["id"] == request.match_info["order"]:
                order["state"] = STATES[step]
                order["arrived_at"] = at() if step == "arrive" else order["arrived_at"]
        return await self.done(request)

    # --- consultations --------------------------------------------------------------------

    async def consultation_proposal(self, _: web.Request) -> web.Response:
        rows = [
            ("site", "省应急管理厅指挥大厅", "registered"),
            ("site", "清远市应急管理局", "unregistered"),
        ]
        rows += [("camera", "C03 厂门", "camera"), ("team", "演示粤北危化队", "phone_link")]
        members = [
            {"ref": f"{kind}:{n}", "kind": kind, "name": name, "address_state": state}
            | {f"{kind}_id": new_id(), "reason": "事发地与预案通知名单", "chosen": True}
            for n, (kind, name, state) in enumerate(rows)
        ]
        return web.json_response({"title": "翁源液氯泄漏 会商", "members": members})

    async def post_consultation(self, _: web.Request) -> web.Response:
        made = self.open_consultation()
        await self.emit("consultation.opened", incident_id=self.first)
        return web.json_response(made, status=201)

    async def list_consultations(self, request: web.Request) -> web.Response:
        state = request.query.get("state", "open")
        found = [c for c in self.consultations.values() if c["state"] == state]
        return web.json_response({"items": found})

    async def get_consultation(self, request: web.Request) -> web.Response:
        found = self.consultations.get(request.match_info["id"])
        return web.json_response(found) if found else problem(404, "not_found", "没有这个会商")

    async def picture(self, _: web.Request) -> web.Response:
        return web.Response(body=GREY_JPEG, content_type="image/jpeg")

    async def act(self, request: web.Request) -> web.Response:
        change = {
            "mute": {"microphone_muted": True},
            "unmute": {"microphone_muted": False},
            "speaker-mute": {"speaker_muted": True},
            "speaker-unmute": {"speaker_muted": False},
            "dial": {"state": "dialling", "reason_text": None},
            "hang-up": {"state": "left", "stats": None},
        }[request.match_info["action"]]
        for row in self.consultations[request.match_info["id"]]["participants"]:
            if row["id"] == request.match_info["pid"]:
                row.update(change)
        return await self.done(request)

    async def remove_participant(self, request: web.Request) -> web.Response:
        found = self.consultations[request.match_info["id"]]
        gone = request.match_info["pid"]
        found["participants"] = [row for row in found["participants"] if row["id"] != gone]
        return web.Response(status=204)

    async def get_content(self, _: web.Request) -> web.Response:
        return web.json_response(self.content)

    async def take_content_back(self, _: web.Request) -> web.Response:
        self.content["holder"] = None
        return web.json_response(self.content)

    async def lock_content(self, request: web.Request) -> web.Response:
        wanted = (await request.json())["participant_id"]
        self.content["locked_to"] = wanted and {"participant_id": wanted, "name": ""}
        return web.json_response(self.content)

    async def put_layout(self, request: web.Request) -> web.Response:
        self.consultations[request.match_info["id"]]["layout"] = await request.json()
        return await self.done(request)

    async def order(self, request: web.Request) -> web.Response:
        """An order of the desk: what it changes is written down, as the API shows it."""
        found = self.consultations[request.match_info["id"]]
        name = request.path.rsplit("/", 1)[-1]
        is_on = request.method != "DELETE"
        sent = await request.json() if request.method == "POST" else {}
        site = sent.get("participant_id")
        if name == "broadcast":
            kind = "site" if site else "mosaic"
            on = {"kind": kind, "participant_id": site} if is_on else None
            found["control"]["broadcast"] = on
        elif name == "roll-call":
            found["control"]["roll_call_id"] = site
        elif name == "lock":
            found["control"]["is_locked"] = is_on
        return await self.done(request)

    async def join_token(self, request: web.Request) -> web.Response:
        url = f"http://{request.host}/m/{TOKEN}"
        name = 'xmlns="http://www.w3.org/2000/svg"'
        svg = f'<svg {name} viewBox="0 0 9 9"><path d="M1 1h3v3h-3z"/></svg>'
        made = {"token": TOKEN, "join_url": url, "qr_svg": svg, "expires_at": at(720)}
        return web.json_response(made, status=201)

    async def close_consultation(self, request: web.Request) -> web.Response:
        self.consultations[request.match_info["id"]]["state"] = "closed"
        self.incidents[self.first]["consultation_id"] = None
        return await self.done(request)

    async def session_refused(self, _: web.Request) -> web.Response:
        return problem(503, "media_node_unavailable", "媒体节点暂不可用")

    async def get_join(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return problem(404, "join_token_invalid", "链接无效或已过期")
        talk = {"id": new_id(), "title": "翁源液氯泄漏 会商", "is_drill": True, "state": "open"}
        who = {"name": "演示粤北危化队 队长", "kind": "team", "publish": True, "play": True}
        who |= {"state": self.phone_state, "reason_code": self.phone_reason}
        return web.json_response({"consultation": talk, **who, "orders": self.orders[self.first]})

    # --- libraries ------------------------------------------------------------------------

    async def plans(self, _: web.Request) -> web.Response:
        plan = {"id": PLAN, "name": "省危险化学品生产安全事故应急预案（演示版）", "type": "专项"}
        return web.json_response({"items": [{**plan, "version": "2026-1", "status": "现行"}]})

    async def boundaries(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(BOUNDARIES / f"{request.query['level']}.geojson")

    async def pardon(self, request: web.Request) -> web.Response:
        host = (await request.json())["host"]
        for ban in self.bans:
            ban["is_active"] = ban["is_active"] and ban["host"] != host
        return web.Response(status=204)

    async def done(self, _: web.Request) -> web.Response:
        return web.json_response({})


def order_of(line: Json) -> Json:
    """The order that a confirmed dispatch line becomes."""
    times = dict.fromkeys(("received_at", "accepted_at", "arrived_at", "done_at"))
    return {
        "id": new_id(),
        "number": "ZL-2026-0001",
        "team_id": line["team_id"],
        "team_name": line["team_name"],
        "task_text": line["task_text"],
        "kind": line["authority"],
        "state": "issued",
        "issued_at": at(),
        "issued_by": "陈示一",
        "due_at": at(60),
        "overdue": False,
        "is_drill": False,
        **times,
    }


def itertools_chain(lists: dict[str, list[Json]]) -> list[Json]:
    """All rows of all incidents."""
    return [row for rows in lists.values() for row in rows]


def places(name: str, count: int) -> list[Json]:
    """So many places spread over the province."""
    return [
        {
            "id": new_id(),
            "name": f"演示{name}{index}",
            "region_code": "440200",
            "region_name": "韶关市",
            "longitude": 111.0 + index * 37 % 100 * 0.05,
            "latitude": 21.8 + index * 53 % 100 * 0.03,
            "crew": 12 + index % 9,
            "skills": ["堵漏", "洗消"],
        }
        for index in range(1, count + 1)
    ]


PLAN = new_id()
USER = {
    "id": new_id(),
    "username": "chenshiyi",
    "display_name": "陈示一",
    "roles": ["duty_officer"],
    "region_code": "440000",
    "unit_name": "省应急管理厅（演示）",
    "permissions": sorted(p.value for p in permissions_of(frozenset({Role.DUTY_LEADER}))),
    "owes": [],
    "has_totp": False,
    "password_days_left": None,
}
LIBRARIES: dict[str, list[Json]] = {
    "organisations": places("机构", 144),
    "teams": places("队伍", 200),
    "depots": places("储备点", 40),
    "hazards": places("危险源", 300),
    "experts": places("专家", 12),
    "cameras": places("镜头", 3),
}


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8090
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    web.run_app(StandIn(many).application(), host="127.0.0.1", port=port)
