"""An H.323 room, a SIP room, a phone and a camera in one consultation, with both second streams.

The H.323 room is our own stack; baresip, Chromium and gst-rtsp-server are the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.harness.baresip import Baresip
from tests.harness.browser import Browser
from tests.harness.camera import Camera
from tests.harness.h323 import H323Hall
from tests.harness.processes import wait_until
from tests.harness.product import Api, Product, sip_address
from tests.scenarios import story
from tests.scenarios.screen import SLIDE, shared_screen
from tests.scenarios.story import CAMERA, HALL, PHONE

ROOM, ROOM_SLIDE, ROOM_TONE = 14, 22, 700.0
ROOM_ACCOUNT = "440222"  # 始兴县
CAMERA_NAME, PHONE_NAME = "厂门镜头", "翁城站队长"
PROGRAMME, CONTENT = "video:not(.self):not(.content-picture)", "video.content-picture"
WAIT_S = 45.0


class Stage:
    """The product with an incident; its four members, each with a marker and a tone."""

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        self.product = Product(folder / "product")
        self.api: Api = self.product.api()
        self.camera = Camera(folder, CAMERA, story.CAMERA_TONE)
        self.room = H323Hall("始兴县", marker=ROOM, slide=ROOM_SLIDE, tone_hz=ROOM_TONE)
        password = self.product.credentials()[story.COUNTY]
        self.hall = Baresip(
            folder / "hall",
            f"<sip:{story.COUNTY}@{sip_address()}>;auth_pass={password};answermode=auto"
            ";audio_codecs=PCMA;video_codecs=H264",
            marker=HALL,
            tone_hz=story.HALL_TONE,
        )
        self.phone = Browser(playwright, folder / "phone", marker=PHONE, tone_hz=story.PHONE_TONE)
        self.phone.context.add_init_script(shared_screen())
        self.incident = story.file_report(self.api)
        self.sites = [story.site_of(self.api, n) for n in (story.COUNTY, ROOM_ACCOUNT)]
        self.product.api("yaoshixi").call(  # the system administrator
            "PUT",
            f"/sites/{self.sites[1]['id']}/address",
            {"uri": self.room.uri, "trusted_host": "127.0.0.1"},
        )
        wait_until(lambda: "200 OK" in self.hall.peer.text(), WAIT_S)

    def open(self) -> None:
        """One click; the phone opens its link and presses its one button."""
        self.consultation: dict[str, Any] = self.api.post(
            f"/incidents/{self.incident['id']}/consultations",
            {"title": "液氯泄漏会商", "members": [
                *({"kind": "site", "site_id": site["id"]} for site in self.sites),
                {"kind": "camera", "name": CAMERA_NAME, "url": self.camera.url},
                {"kind": "phone", "name": PHONE_NAME},
            ]},
        )  # fmt: skip
        member = story.participant(self.api, self.consultation, PHONE_NAME)
        link = self.api.post(
            f"{self.path}/join-tokens", {"participant_id": member["id"], "name": PHONE_NAME}
        )["join_url"]
        self.phone.page.goto(link)
        self.phone.page.get_by_role("button", name="加入会商").click()
        for name in (*(site["name"] for site in self.sites), CAMERA_NAME, PHONE_NAME):
            story.wait_state(self.api, self.consultation, name, "joined", WAIT_S)

    @property
    def path(self) -> str:
        return f"/consultations/{self.consultation['id']}"

    def holder(self) -> str | None:
        holder = self.api.get(f"{self.path}/content")["holder"]
        return None if holder is None else str(holder["name"])

    def close(self) -> None:
        ends = (self.phone.close, self.hall.close, self.room.close, self.camera.kill)
        for step in (*ends, self.product.close):
            with contextlib.suppress(Exception):
                step()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with sync_playwright() as playwright:
        made = Stage(tmp_path, playwright)
        yield made
        made.close()


def _shows(seen: Callable[[], dict[int, Any]], wanted: set[int], who: str) -> None:
    wait_until(lambda: wanted <= set(seen()), WAIT_S, lambda: f"{who} sees {seen()}", step_s=0.5)


def _shows_no(seen: Callable[[], dict[int, Any]], gone: int, who: str) -> None:
    wait_until(lambda: gone not in seen(), WAIT_S, lambda: f"{who} sees {seen()}", step_s=0.5)


@pytest.mark.timeout(400)
@pytest.mark.peer("chromium", "baresip", "camera", "fonts")
def test_four_kinds_meet_and_present_to_each_other(stage: Stage) -> None:
    """All see all; H.239 slides go to browser and SIP room, a browser's page to the H.323 room."""
    stage.open()
    everybody = {HALL, CAMERA, PHONE, ROOM}
    _shows(stage.room.seen, everybody, "H.323 room")
    _shows(stage.hall.seen, everybody, "SIP room")
    _shows(lambda: stage.phone.seen(PROGRAMME), everybody, "phone")
    tones = [story.HALL_TONE, story.CAMERA_TONE, story.PHONE_TONE, ROOM_TONE]
    others = {tone for tone in tones if tone != ROOM_TONE}
    wait_until(lambda: stage.room.heard(tones) == others, WAIT_S, step_s=0.5)
    wait_until(lambda: ROOM_TONE in stage.hall.heard(tones), WAIT_S, step_s=0.5)

    stage.room.present()
    _shows(lambda: stage.phone.seen(CONTENT), {ROOM_SLIDE}, "phone's second stream")
    _shows(stage.hall.seen, {ROOM_SLIDE}, "SIP room")
    assert stage.holder() == stage.sites[1]["name"]

    stage.api.post(f"{stage.path}/content/take-back")
    wait_until(stage.room.was_asked_to_stop, WAIT_S)
    stage.room.stop_slides()
    wait_until(lambda: stage.phone.page.locator(CONTENT).count() == 0, WAIT_S)
    _shows_no(stage.hall.seen, ROOM_SLIDE, "SIP room")
    assert stage.holder() is None

    stage.phone.page.get_by_role("button", name="共享屏幕").click()
    _shows(stage.room.slides_seen, {SLIDE}, "H.323 room's second stream")
    _shows(stage.hall.seen, {SLIDE}, "SIP room")
    _shows(stage.room.seen, {ROOM}, "H.323 room beside the second stream")
    assert stage.holder() == PHONE_NAME
