"""The second stream: one Chromium's tabs share a page, a hall sees it in its picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, sync_playwright

from tests.harness.baresip import Baresip
from tests.harness.browser import Browser
from tests.harness.processes import wait_until
from tests.harness.product import Product, sip_address
from tests.scenarios import story
from tests.scenarios.screen import SLIDE, shared_screen

FIRST, SECOND, LATE = "甲会场", "乙会场", "丙会场"
CONTENT = "video.content-picture"


class Stage:
    """The product with an incident; a hall; a browser whose tabs are the other sites."""

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        self.product = Product(folder / "product")
        self.api = self.product.api()
        password = self.product.credentials()[story.COUNTY]
        self.hall = Baresip(
            folder / "hall",
            f"<sip:{story.COUNTY}@{sip_address()}>;auth_pass={password};answermode=auto"
            ";audio_codecs=PCMA;video_codecs=H264",
            marker=story.HALL,
            tone_hz=story.HALL_TONE,
        )
        self.browser = Browser(playwright, folder / "browser", marker=story.PHONE)
        self.browser.context.add_init_script(shared_screen())
        incident = story.file_report(self.api)
        self.site = story.site_of(self.api, story.COUNTY)
        wait_until(lambda: "200 OK" in self.hall.peer.text(), 20)
        phones = [{"kind": "phone", "name": name} for name in (FIRST, SECOND, LATE)]
        self.consultation: dict[str, Any] = self.api.post(
            f"/incidents/{incident['id']}/consultations",
            {"title": "液氯泄漏会商", "members": [
                {"kind": "site", "site_id": self.site["id"]}, *phones]},
        )  # fmt: skip

    @property
    def path(self) -> str:
        return f"/consultations/{self.consultation['id']}"

    def tab(self, name: str) -> Page:
        """A site joins by its link."""
        member = story.participant(self.api, self.consultation, name)
        link = self.api.post(
            f"{self.path}/join-tokens", {"participant_id": member["id"], "name": name}
        )["join_url"]
        page = self.browser.context.new_page()
        page.goto(link)
        page.get_by_role("button", name="加入会商").click()
        story.wait_state(self.api, self.consultation, name, "joined", 30)
        return page

    def holder(self) -> str | None:
        holder = self.api.get(f"{self.path}/content")["holder"]
        return None if holder is None else str(holder["name"])

    def sees(self, page: Page) -> set[int]:
        """Markers in the second picture of a tab."""
        self.browser.page = page
        return set(self.browser.seen(CONTENT))

    def close(self) -> None:
        for step in (self.browser.close, self.hall.close, self.product.close):
            with contextlib.suppress(Exception):
                step()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with sync_playwright() as playwright:
        made = Stage(tmp_path, playwright)
        yield made
        made.close()


@pytest.mark.timeout(400)
@pytest.mark.peer("chromium", "baresip", "fonts")
def test_one_site_presents_to_all_and_hands_over(stage: Stage) -> None:
    """Shared page: to tabs beside the programme, to a hall inside it; one presenter at a time."""
    first, second = stage.tab(FIRST), stage.tab(SECOND)
    story.wait_state(stage.api, stage.consultation, stage.site["name"], "joined", 30)
    first.get_by_role("button", name="共享屏幕").click()
    wait_until(
        lambda: SLIDE in stage.sees(second),
        30,
        lambda: f"second tab sees {stage.sees(second)}: {first.inner_text('body')}",
        step_s=0.5,
    )
    wait_until(lambda: SLIDE in stage.hall.seen(), 20, step_s=1.0)
    second.get_by_role("button", name="共享屏幕").click()
    wait_until(lambda: FIRST in second.inner_text("[role=status]"), 10)
    late = stage.tab(LATE)
    wait_until(lambda: SLIDE in stage.sees(late), 20, step_s=0.5)
    stage.api.post(f"{stage.path}/content/take-back")
    wait_until(lambda: "双流令牌已被收回" in first.inner_text("body"), 10)
    wait_until(lambda: second.locator(CONTENT).count() == 0, 10)
    wait_until(lambda: SLIDE not in stage.hall.seen(), 20, step_s=1.0)
    second.get_by_role("button", name="共享屏幕").click()
    wait_until(
        lambda: SLIDE in stage.sees(first),
        30,
        lambda: f"{stage.holder()} presents: {[p.inner_text('main') for p in (first, second)]}",
        step_s=0.5,
    )
    assert stage.holder() == SECOND
