"""An H.323 room, a SIP room, a phone and a camera in one consultation, with both second streams.

The H.323 room is our own stack; baresip, Chromium and gst-rtsp-server are the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.harness.h323 import H323Hall
from tests.harness.processes import wait_until
from tests.scenarios import story
from tests.scenarios.screen import SLIDE, shared_screen
from tests.scenarios.stage import CONTENT, PHONE_NAME, PROGRAMME, MainStage, staged
from tests.scenarios.story import CAMERA, HALL, PHONE

ROOM, ROOM_SLIDE, ROOM_TONE = 14, 22, 700.0
ROOM_ACCOUNT = "440222"  # 始兴县


class FourKinds(MainStage):
    """The main job's three and an H.323 room; each with a marker and a tone."""

    screen = (1440, 900)

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        super().__init__(folder, playwright)
        self.room = H323Hall("始兴县", marker=ROOM, slide=ROOM_SLIDE, tone_hz=ROOM_TONE)
        self.ends.append(self.room.close)
        self.phone.context.add_init_script(shared_screen())
        self.room_site = story.site_of(self.api, ROOM_ACCOUNT)
        self.product.api("yaoshixi").call(  # the system administrator
            "PUT",
            f"/sites/{self.room_site['id']}/address",
            {"uri": self.room.uri, "trusted_host": "127.0.0.1"},
        )
        self.gather({"kind": "site", "site_id": self.room_site["id"]})
        self.wait_joined(*self.names, self.room_site["name"])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[FourKinds]:
    with staged(FourKinds, tmp_path) as made:
        yield made


def _shows(seen: Callable[[], dict[int, Any]], wanted: set[int], who: str) -> None:
    wait_until(lambda: wanted <= set(seen()), why=lambda: f"{who} sees {seen()}", step_s=0.5)


def _shows_no(seen: Callable[[], dict[int, Any]], gone: int, who: str) -> None:
    wait_until(lambda: gone not in seen(), why=lambda: f"{who} sees {seen()}", step_s=0.5)


@pytest.mark.timeout(400)
@pytest.mark.peer("chromium", "baresip", "camera", "fonts")
def test_four_kinds_meet_and_present_to_each_other(stage: FourKinds) -> None:
    """All see all; H.239 slides go to browser and SIP room, a browser's page to the H.323 room."""
    everybody = {HALL, CAMERA, PHONE, ROOM}
    _shows(stage.room.seen, everybody, "H.323 room")
    _shows(stage.hall.seen, everybody, "SIP room")
    _shows(lambda: stage.phone.seen(PROGRAMME), everybody, "phone")
    tones = [story.HALL_TONE, story.CAMERA_TONE, story.PHONE_TONE, ROOM_TONE]
    others = {tone for tone in tones if tone != ROOM_TONE}
    wait_until(lambda: stage.room.heard(tones) == others, step_s=0.5)
    wait_until(lambda: ROOM_TONE in stage.hall.heard(tones), step_s=0.5)

    stage.room.present()
    _shows(lambda: stage.phone.seen(CONTENT), {ROOM_SLIDE}, "phone's second stream")
    _shows(stage.hall.seen, {ROOM_SLIDE}, "SIP room")
    assert stage.holder() == stage.room_site["name"]

    stage.api.post(f"{stage.path}/content/take-back")
    wait_until(stage.room.was_asked_to_stop)
    stage.room.stop_slides()
    wait_until(lambda: stage.phone.page.locator(CONTENT).count() == 0)
    _shows_no(stage.hall.seen, ROOM_SLIDE, "SIP room")
    assert stage.holder() is None

    stage.phone.page.get_by_role("button", name="共享屏幕").click()
    _shows(stage.room.slides_seen, {SLIDE}, "H.323 room's second stream")
    _shows(stage.hall.seen, {SLIDE}, "SIP room")
    _shows(stage.room.seen, {ROOM}, "H.323 room beside the second stream")
    assert stage.holder() == PHONE_NAME
