"""Seed of the stand-in server: one accident in several states, as plain API shapes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
_ids = itertools.count(1)


def new_id() -> str:
    """An id that sorts and looks like the real ones."""
    return f"01930000-0000-7000-8000-{next(_ids):012d}"


def at(minutes: float = 0) -> str:
    """Now plus so many minutes, as ISO 8601."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


CASUALTIES = [
    "deaths",
    "missing",
    "trapped",
    "endangered",
    "serious_injuries",
    "poisoned_diagnosed",
    "observed",
    "seen",
    "evacuated",
    "direct_loss_wan",
]


def casualties(**known: int) -> dict[str, int | None]:
    """Every figure unknown but those given."""
    return {name: known.get(name) for name in CASUALTIES}


def clock(label: str, started: float, due: float, whom: str, state: str = "running") -> Json:
    """One statutory clock; minutes relative to now."""
    return {
        "id": new_id(),
        "label": label,
        "basis": "国务院令第493号 第九条",
        "starts_at": at(started),
        "due_at": at(due),
        "done_at": at(started + 5) if state == "done" else None,
        "state": state,
        "to_whom": whom,
    }


def incident(title: str, number: str, **other: Any) -> Json:
    """An incident with the fields every page reads."""
    value: Json = {
        "id": new_id(),
        "number": number,
        "title": title,
        "event_type": "hazardous_chemical_leak",
        "place_name": "翁城镇演示化工园",
        "region_code": "440229",
        "region_name": "韶关市翁源县",
        "longitude": 113.86,
        "latitude": 24.40,
        "occurred_at": at(-40),
        "received_at": at(-25),
        "state": "open",
        "is_drill": False,
        "grade": {
            "value": "larger",
            "label": "较大",
            "criterion": "重伤 11 ≥ 10",
            "stage": "初判",
        },
        "near_accident": {"recognised": True, "criteria": ["涉险 31 ≥ 10", "疏散 620 ≥ 500"]},
        "casualties": casualties(deaths=0, missing=2, poisoned_diagnosed=11, evacuated=620),
        "pending": ["missing"],
        "responses": [],
        "clocks": [
            clock("企业→县 1 小时", -30, -2, "翁源县应急管理局", "late"),
            clock("县→市 2 小时", -25, 42, "韶关市应急管理局"),
            clock("县→省 电话快报", -25, 8, "省应急管理厅"),
            clock("同级政府", -25, 30, "翁源县人民政府", "done"),
        ],
        "plan_id": None,
        "consultation_id": None,
        "created_by": "陈示一",
        "updated_at": at(-1),
    }
    return {**value, **other}


def tasks() -> list[Json]:
    """Task cards in all four states."""
    rows = [
        ("K01", "G4", "治安警戒", "警戒：上风300 m、下风800 m，封东西路口", "done", -5, []),
        ("K02", "G5", "疏散安置", "疏散下风1.5 km共1,480人", "doing", 25, ["K01"]),
        ("K03", "G2", "抢险救援", "侦检：泄漏点、浓度、被困", "doing", 12, ["K01"]),
        ("K04", "G2", "抢险救援", "搜救失联2人，双人重型防化", "overdue", -8, ["K03"]),
        ("K05", "G2", "抢险救援", "3号吨瓶堵漏，碱液浸没", "todo", 90, ["K03", "K08"]),
        ("K06", "G3", "医疗救护", "检伤分类点，三院备床，半小时一报", "todo", 60, []),
        ("K08", "G8", "物资保障", "液碱20 t、消石灰10 t到北门", "todo", 80, []),
    ]
    return [
        {
            "id": new_id(),
            "number": number,
            "group_code": code,
            "group_name": group,
            "text": text,
            "responsible": "翁源县公安局",
            "due_at": at(due),
            "depends_on": needs,
            "evidence": "照片2、标绘",
            "clause": "5.3.1",
            "state": state,
            "done_at": at(-6) if state == "done" else None,
            "done_by": "罗示乙" if state == "done" else None,
        }
        for number, code, group, text, state, due, needs in rows
    ]


def proposal(cards: list[Json]) -> Json:
    """A dispatch proposal with three lines, one depot and one task left over."""
    rows = [
        ("演示翁城专职消防站", ["侦检", "洗消"], 12, "order", 3.2, 8, (113.80, 24.38)),
        ("演示粤北危化队", ["堵漏", "倒罐"], 18, "order", 71.4, 72, (113.6, 24.8)),
        ("演示连平企业专职队", ["堵漏"], 15, "request", 58.0, 61, (114.49, 24.37)),
    ]
    lines = [
        {
            "id": new_id(),
            "task_id": cards[index + 2]["id"],
            "task_text": cards[index + 2]["text"],
            "team_id": new_id(),
            "team_name": name,
            "skills": skills,
            "crew": crew,
            "authority": authority,
            "depart_at": at(5),
            "arrive_at": at(5 + minutes),
            "travel_minutes": minutes,
            "distance_km": km,
            "route": [list(start), [113.83, 24.45], [113.86, 24.40]],
            "reason": f"具备{'、'.join(skills)}技能，{minutes} 分钟可到，上风向进入",
            "runner_up": "演示翁源消防大队（晚 14 分钟）",
        }
        for index, (name, skills, crew, authority, km, minutes, start) in enumerate(rows)
    ]
    return {
        "id": new_id(),
        "state": "proposed",
        "created_at": at(),
        "solver": "cp_sat",
        "lines": lines,
        "materials": [
            {
                "id": new_id(),
                "depot_id": new_id(),
                "depot_name": "演示韶关储备点",
                "item": "液碱",
                "quantity": 20,
                "unit": "t",
                "arrive_at": at(65),
                "route": [[113.6, 24.8], [113.86, 24.40]],
            }
        ],
        "unassigned": [{"task_id": cards[5]["id"], "reason": "2 小时内没有具备该技能的备勤队伍"}],
    }


def participant(kind: str, name: str, protocol: str, state: str, **other: Any) -> Json:
    """One row of the roster."""
    value: Json = {
        "id": new_id(),
        "kind": kind,
        "name": name,
        "protocol": protocol,
        "state": state,
        "reason_code": None,
        "reason_text": None,
        "microphone_muted": False,
        "speaker_muted": False,
        "in_picture": state == "joined",
        "joined_at": at(-10) if state == "joined" else None,
        "stats": None,
        "join_url": None,
    }
    if state == "joined":
        value["stats"] = {
            "loss_pct": 0.4,
            "bitrate_bps": 1_850_000,
            "codec": "H264",
            "width": 1280,
            "height": 720,
            "frame_rate": 25,
            "in": {"bitrate_bps": 1_850_000, "loss_pct": 0.4},
            "out": {"bitrate_bps": 2_010_000, "loss_pct": 0.0},
        }
    return {**value, **other}


def roster() -> list[Json]:
    """A roster that shows every state word."""
    lossy = participant("team", "演示粤北危化队 队长", "webrtc", "joined", join_url="http://x/m/t1")
    lossy["stats"]["loss_pct"] = 9.7
    muted = participant("site", "翁源县应急管理局", "sip", "joined", microphone_muted=True)
    return [
        participant("operator", "陈示一", "webrtc", "joined"),
        participant("site", "省应急管理厅指挥大厅", "sip", "joined"),
        muted,
        participant("site", "韶关市应急管理局", "sip", "ringing"),
        participant(
            "site", "清远市应急管理局", "sip", "unregistered", reason_text="会场终端未注册"
        ),
        participant("site", "英德市应急管理局", "sip", "failed", reason_text="无人应答（30 秒）"),
        participant("site", "省生态环境厅", "sip", "not_joined"),
        participant("site", "省卫生健康委", "sip", "offline", reason_text="注册已过期"),
        lossy,
        participant(
            "team", "演示翁城专职消防站 队长", "webrtc", "not_joined", join_url="http://x/m/t2"
        ),
        participant("camera", "C03 厂门", "synthetic", "joined"),
        participant("camera", "C01 库内", "rtsp", "lost", reason_text="3 秒没有画面"),
        participant("telephone", "专家 许示十", "telephone", "left", reason_text="对方挂断"),
    ]


def control() -> Json:
    """A desk that has ordered nothing yet."""
    overlay = {"banner": "", "message": "", "message_until": None, "clock": False}
    return {
        "is_locked": False,
        "arrangement": None,
        "speaker": None,
        "chair_layout": None,
        "chair_id": None,
        "chair_since": None,
        "broadcast": None,
        "roll_call_id": None,
        "polling": None,
        "floor": [],
        "floor_mutes_others": False,
        "redial_limit": 3,
        "redial_pause_s": 20,
        "attendance": None,
        "overlay": {**overlay, "countdown_to": None, "names": True},
        "ends_at": None,
        "ends_by_itself": False,
    }


def halls(places: list[Json]) -> list[Json]:
    """Sites of every protocol and line; the first tested itself, with a fault."""
    links, protocols = ("private_line", "internet", "mobile", "satellite"), ("sip", "h323")
    policies = ("required", "preferred", "off", None)
    found = [
        {
            **{name: value for name, value in place.items() if name not in ("crew", "skills")},
            "organisation_name": f"演示县应急管理局 {index}",
            "account": f"4402{index:02d}",
            "address_state": "registered",
            "protocol": protocols[index % 2],
            "uri": None,
            "trusted_host": None,
            "backup_uri": None,
            "ladder": [],
            "link": links[index % 4],
            "max_bitrate_bps": None,
            "srtp_policy": policies[index % 4],
            "self_test": None,
        }
        for index, place in enumerate(places)
    ]
    faults = {"codes": ["no_picture", "loss"], "loss_pct": 7.4, "video": "", "audio": "PCMA"}
    found[0]["self_test"] = {"at": at(-30), **faults}
    passed = {"codes": ["good"], "loss_pct": 0.0, "video": "1280x720 H264", "audio": "opus"}
    found[1]["self_test"] = {"at": at(-90), **passed}
    return found


def ban(host: str, offence: str, **other: Any) -> Json:
    """An address that the gateway shut out two minutes ago."""
    value: Json = {
        "host": host,
        "offence": offence,
        "since": at(-2),
        "until": at(13),
        "is_active": True,
        "pardoned_at": None,
        "site_id": None,
        "site_name": "",
        "tell": "",
    }
    return {**value, **other}
