"""Recordings over a real database and a real media node: what the desk does, and what is kept."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from command_center.consultation.session_routes import OfferMemory
from command_center.consultation.settings import ConsultationSettings
from command_center.consultation.switchboard import Switchboard
from command_center.recordings.download import Downloads
from command_center.recordings.keeper import RecordingKeeper
from command_center.recordings.settings import RecordingSettings
from command_center.security import Desk, LogIn, Passwords, Role
from command_center.web.app import create_app
from command_center.web.health import Health
from command_center.web.schemas import PublicConfig
from tests.harness.processes import crowding
from tests.service.conftest import Person, SignIn
from tests.service.consultation_fixtures import gateway, node, stage, switchboard
from tests.service.consultation_stage import Node, Stage, camera_member, until

__all__ = ["gateway", "node", "stage", "switchboard"]

Found = dict[str, Any]


@pytest.fixture
async def keeper(desk: Desk, node: Node, tmp_path: Path) -> AsyncIterator[RecordingKeeper]:
    settings = RecordingSettings(folder=tmp_path / "kept", minimum_free_mib=0)
    started = RecordingKeeper(desk, node.socket, settings)
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def server(
    desk: Desk,
    passwords: Passwords,
    switchboard: Switchboard,
    keeper: RecordingKeeper,
) -> AsyncIterator[TestServer]:
    downloads = Downloads()
    services = [
        LogIn(desk, passwords),
        Health(),
        PublicConfig(demo=True, version="test"),
        switchboard,
        keeper,
        downloads,
        OfferMemory(),
        ConsultationSettings(),
    ]
    started = TestServer(create_app(desk, services))
    await started.start_server()
    yield started
    await downloads.stop()
    await started.close()


async def get(person: Person, path: str, status: int = 200) -> Found:
    answer = await person.get(path)
    assert answer.status == status, await answer.text()
    found: Found = await answer.json()
    return found


async def post(person: Person, path: str, body: Any = None, status: int = 200) -> Found:
    answer = await person.post(path, body)
    assert answer.status == status, await answer.text()
    found: Found = await answer.json()
    return found


async def consultation_with_camera(stage: Stage) -> Found:
    """Opened and with a picture in it."""
    consultation = await stage.open(camera_member(await stage.camera()))
    await stage.reaches(consultation, "joined")
    return consultation


async def programme(officer: Person, recording: Found, *, at_least_ms: int) -> Found:
    """The recording once its programme is so long."""
    found: Found = {}

    async def is_long() -> bool:
        found.update(await get(officer, f"/recordings/{recording['id']}"))
        return bool(found["duration_ms"] >= at_least_ms)

    await until(is_long, 40, lambda: f"too short: {found}")
    return found


def recorder_processes(node: Node) -> list[int]:
    """Process ids of the node's recorders."""
    assert node.process is not None
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text()
    found = []
    for child in children.split():
        if b"video_bridge.recording" in Path(f"/proc/{child}/cmdline").read_bytes():
            found.append(int(child))
    return found


async def closed_recording(
    officer: Person, recording: Found, keeper: RecordingKeeper, node: Node
) -> Found:
    """The recording once its recorder has gone and all that it wrote is on the page."""
    found: Found = {}
    manifest = keeper.settings.folder / "recordings" / recording["id"] / "segments.jsonl"

    async def is_whole() -> bool:
        if recorder_processes(node):
            return False
        found.update(await get(officer, f"/recordings/{recording['id']}"))
        return ended_segments(found) == len(manifest.read_text().splitlines())

    await until(is_whole, 60, lambda: f"not whole: {found}")
    return found


async def test_a_recording_is_started_marked_stopped_played_downloaded_and_verified(
    stage: Stage,
    keeper: RecordingKeeper,
    desk: Desk,
    node: Node,
) -> None:
    """The desk's whole way with a recording, on the files that the recorder really wrote."""
    officer, consultation = stage.officer, await consultation_with_camera(stage)
    started = await post(officer, f"/consultations/{consultation['id']}/recordings", {}, 201)
    assert started["state"] == "running"
    again = await post(officer, f"/consultations/{consultation['id']}/recordings", {}, 409)
    assert again["code"] == "recording_running_already"
    await programme(officer, started, at_least_ms=5000)
    one = f"/recordings/{started['id']}"
    marked = await post(officer, f"{one}/bookmarks", {"text": "专家发言"}, 201)
    assert marked["bookmarks"][0]["offset_ms"] > 3000
    await post(officer, f"{one}/stop")
    ended = await closed_recording(officer, started, keeper, node)
    assert (ended["state"], ended["alarm_code"]) == ("stopped", None)
    assert [(s["kind"], s["codec"], s["width"]) for s in ended["sources"]] == [
        ("programme", "H264", 1280)
    ]
    assert (await post(officer, f"{one}/bookmarks", {"text": "晚了"}, 409))["code"]

    await plays_by_ranges(officer, one)
    path = await downloaded(officer, one, keeper.settings.folder / "film.mp4")
    with av.open(str(path)) as film:
        assert abs((film.duration or 0) / 1e6 - ended["duration_ms"] / 1000) < 0.5
        assert film.streams.video[0].start_time == 0
        assert sum(1 for _ in film.decode(film.streams.video[0])) > 100

    assert await post(officer, f"{one}/verify") == {"checked": ended_segments(ended), "broken": []}
    flipped = next((keeper.settings.folder / "recordings").rglob("programme-000001.mp4"))
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    assert (await post(officer, f"{one}/verify"))["broken"] == ["programme-000001.mp4"]
    await is_told_and_audited(desk, officer, consultation, started)


def ended_segments(recording: Found) -> int:
    return sum(int(source["segments"]) for source in recording["sources"])


async def plays_by_ranges(officer: Person, one: str) -> None:
    """The playlist names each segment with its head and its bytes; a range answers 206."""
    answer = await officer.get(f"{one}/films/programme.m3u8")
    text_ = await answer.text()
    assert answer.status == 200, text_
    assert text_.startswith("#EXTM3U")
    assert text_.endswith("#EXT-X-ENDLIST\n")
    uri = next(line for line in text_.splitlines() if line.startswith("../files/"))
    part = await officer.get(f"{one}/files/{uri[9:]}", headers={"Range": "bytes=4-7"})
    assert (part.status, await part.read()) == (206, b"ftyp")
    assert (await officer.get(f"{one}/films/leg:none.m3u8")).status == 404
    assert (await officer.get(f"{one}/files/..%2Frecording.json")).status == 404


async def downloaded(officer: Person, one: str, path: Path) -> Path:
    order = await post(officer, f"{one}/downloads", {"source": "programme"}, 202)
    assert order["state"] == "making"

    async def is_ready() -> bool:
        found = await post(officer, f"{one}/downloads", {"source": "programme"}, 202)
        return bool(found["state"] == "ready")

    await until(is_ready)
    answer = await officer.get(f"{one}/downloads/programme")
    assert "attachment" in answer.headers["Content-Disposition"]
    path.write_bytes(await answer.read())
    return path


async def is_told_and_audited(
    desk: Desk, officer: Person, consultation: Found, recording: Found
) -> None:
    timeline = await get(officer, f"/incidents/{consultation['incident_id']}/timeline")
    kinds = [item["kind"] for item in timeline["items"]]
    assert {"recording.started", "recording.bookmark", "recording.stopped"} <= set(kinds)
    async with desk.database.session() as session:
        rows = await session.execute(
            text("SELECT action FROM audit WHERE object_id = :id"), {"id": recording["id"]}
        )
    actions = {row[0] for row in rows}
    assert {
        "recording.start", "recording.bookmark", "recording.stop", "recording.download",
        "recording.verify",
    } <= actions  # fmt: skip


async def test_a_killed_recorder_is_an_alarm_and_the_recording_goes_on(
    stage: Stage,
    node: Node,
) -> None:
    """F16: told within 5 s, at most 10 s lost, the conference untouched."""
    officer, consultation = stage.officer, await consultation_with_camera(stage)
    recording = await post(officer, f"/consultations/{consultation['id']}/recordings", {}, 201)
    await programme(officer, recording, at_least_ms=5000)
    before = await stage.legs_on_node(consultation)
    (recorder,) = recorder_processes(node)
    os.kill(recorder, signal.SIGKILL)
    loop = asyncio.get_running_loop()
    killed_at = loop.time()
    path = f"/incidents/{consultation['incident_id']}/timeline"

    async def is_told() -> bool:
        items = (await get(officer, path))["items"]
        return any(item["kind"] == "recording.alarm" for item in items)

    await until(is_told)
    assert loop.time() - killed_at < 5 * crowding()

    async def goes_on() -> bool:
        found = await get(officer, f"/recordings/{recording['id']}")
        return found["alarm_code"] is None and recorder_processes(node) not in ([], [recorder])

    await until(goes_on)
    longer = await programme(officer, recording, at_least_ms=9_000)
    await post(officer, f"/consultations/{consultation['id']}/close")

    async def has_ended() -> bool:
        return bool((await get(officer, f"/recordings/{recording['id']}"))["state"] == "stopped")

    await until(has_ended)
    assert len(longer["sources"]) == 1
    assert [leg.state for leg in before or []] == ["up"]


async def test_a_live_output_is_listed_played_and_ends_with_the_meeting(
    stage: Stage,
    sign_in: SignIn,
) -> None:
    """HLS is served by the web process to those who may see the consultation, and to no other."""
    officer, consultation = stage.officer, await consultation_with_camera(stage)
    lives = f"/consultations/{consultation['id']}/live-outputs"
    refused = await post(officer, lives, {"kind": "rtmp", "target": "file:///etc/passwd"}, 422)
    assert refused["code"] == "live_target_refused"
    live = await post(officer, lives, {"kind": "hls"}, 201)
    assert (await post(officer, lives, {"kind": "hls"}, 409))["code"]
    url = live["playlist_url"].removeprefix("/api/v1")

    async def is_listed() -> bool:
        return (await officer.get(url)).status == 200

    await until(is_listed, 40)
    text_ = await (await officer.get(url)).text()
    name = next(line for line in text_.splitlines() if line.startswith("programme-"))
    segment = await officer.get(f"/live-outputs/{live['id']}/{name}")
    assert (segment.status, (await segment.read())[4:8]) == (200, b"ftyp")
    stranger = await sign_in(Role.DUTY_OFFICER, "440300")
    assert (await stranger.get(url)).status == 404
    assert (await (await officer.get(lives)).json())["items"][0]["is_flowing"]
    await post(officer, f"/consultations/{consultation['id']}/close")

    async def is_over() -> bool:
        return not (await get(officer, lives))["items"]

    await until(is_over)
