"""Content between SIP rooms and a browser: one token, asked for by BFCP or by the page's button."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.harness.browser import Browser
from tests.harness.processes import wait_until
from tests.harness.product import Api, Product
from tests.peers.test_sip_bfcp import build
from tests.scenarios import story
from tests.scenarios.presenting_room import PresentingRoom
from tests.scenarios.screen import SLIDE, shared_screen

PHONE = "前方手机"
CONTENT = "video.content-picture"
SLIDES = {"440229": 31, "440281": 32}  # 翁源县, 乐昌市


def opened(api: Api, browser: Browser) -> tuple[dict[str, Any], Page]:
    """A consultation with one browser in it, and its page."""
    incident = story.file_report(api)
    phone = {"kind": "phone", "name": PHONE}
    consultation = api.post(
        f"/incidents/{incident['id']}/consultations", {"title": "会商", "members": [phone]}
    )
    member = story.participant(api, consultation, PHONE)
    link = api.post(
        f"/consultations/{consultation['id']}/join-tokens",
        {"participant_id": member["id"], "name": PHONE},
    )["join_url"]
    page = browser.page
    page.goto(link)
    page.get_by_role("button", name="加入会商").click()
    story.wait_state(api, consultation, PHONE, "joined", 60)
    return consultation, page


@pytest.mark.timeout(900)
@pytest.mark.peer("chromium", "libre", "ffmpeg", "fonts")
def test_rooms_and_a_browser_present_to_each_other(tmp_path: Path) -> None:
    """Granted, a second room queued and granted at the release; then the browser to the rooms."""
    program = build(tmp_path)
    with contextlib.ExitStack() as open_things:
        product = Product(tmp_path / "product")
        open_things.callback(product.close)
        browser = Browser(
            open_things.enter_context(sync_playwright()), tmp_path / "browser", marker=story.PHONE
        )
        open_things.callback(browser.close)
        browser.context.add_init_script(shared_screen())
        api = product.api()
        consultation, page = opened(api, browser)
        rooms = []
        for at, (account, marker) in enumerate(SLIDES.items()):
            password = product.credentials()[account]
            folder = tmp_path / account
            room = PresentingRoom(
                folder, account, password, base_port=40000 + 100 * at, marker=marker
            )
            open_things.callback(room.close)
            room.dial(consultation["dial_number"], program)
            name = story.site_of(api, account)["name"]
            story.wait_state(api, consultation, name, "joined", 60)
            rooms.append(room)
        first, second = rooms

        def browser_sees(marker: int) -> None:
            wait_until(
                lambda: marker in browser.seen(CONTENT),
                90,
                lambda: f"sees {browser.seen(CONTENT)}, {page.inner_text('body')[:400]}",
                step_s=0.5,
            )

        first.floor.say("request")
        first.hears("FloorRequestStatus Granted 0")
        first.present()
        browser_sees(SLIDES[first.account])
        second.floor.say("request")
        second.hears("FloorRequestStatus Pending 1")
        first.stop_presenting()
        first.floor.say("release")
        first.hears("FloorRequestStatus Released 0")
        second.hears("FloorRequestStatus Granted 0")
        second.present()
        browser_sees(SLIDES[second.account])
        second.stop_presenting()
        second.floor.say("release")
        second.hears("FloorRequestStatus Released 0")
        wait_until(lambda: page.locator(CONTENT).count() == 0)

        views = [room.watch() for room in rooms]
        page.get_by_role("button", name="共享屏幕").click()
        for view, room in zip(views, rooms, strict=True):
            wait_until(
                lambda view=view: SLIDE in view(),
                90,
                lambda room=room: (room.folder / "watch.log").read_text()[-1000:],
                step_s=0.5,
            )
            assert "failed" not in room.told()
