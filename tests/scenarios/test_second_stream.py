"""The second stream: one Chromium's tabs share a page, a hall sees it in its picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.harness.processes import wait_until
from tests.scenarios.screen import SLIDE, shared_screen
from tests.scenarios.stage import CONTENT, Stage, staged

FIRST, SECOND, LATE = "甲会场", "乙会场", "丙会场"
WAIT_S = 150.0


class Tabs(Stage):
    """The hall, and a browser whose tabs are the other sites."""

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        super().__init__(folder, playwright)
        self.phone.context.add_init_script(shared_screen())
        phones = [{"kind": "phone", "name": name} for name in (FIRST, SECOND, LATE)]
        self.open(self.hall_member, *phones)

    def tab(self, name: str) -> Page:
        """A site joins by its link."""
        page = self.phone.context.new_page()
        self.join(page, name)
        self.wait_joined(name)
        return page

    def sees(self, page: Page) -> set[int]:
        """Markers in the second picture of a tab."""
        self.phone.page = page
        return set(self.phone.seen(CONTENT))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Tabs]:
    with staged(Tabs, tmp_path) as made:
        yield made


def _shows_slide(stage: Tabs, page: Page) -> None:
    wait_until(
        lambda: SLIDE in stage.sees(page),
        WAIT_S,
        lambda: f"{stage.holder()} presents, sees {stage.sees(page)}: {page.inner_text('body')}",
        step_s=0.5,
    )


@pytest.mark.timeout(900)
@pytest.mark.peer("chromium", "baresip", "fonts")
def test_one_site_presents_to_all_and_hands_over(stage: Tabs) -> None:
    """Shared page: to tabs beside the programme, to a hall inside it; one presenter at a time."""
    first, second = stage.tab(FIRST), stage.tab(SECOND)
    stage.wait_joined(stage.site["name"])
    first.get_by_role("button", name="共享屏幕").click()
    _shows_slide(stage, second)
    wait_until(lambda: SLIDE in stage.hall.seen(), WAIT_S, step_s=1.0)
    second.get_by_role("button", name="共享屏幕").click()
    wait_until(lambda: FIRST in second.inner_text("[role=status]"))
    late = stage.tab(LATE)
    _shows_slide(stage, late)
    stage.api.post(f"{stage.path}/content/take-back")
    wait_until(lambda: "双流令牌已被收回" in first.inner_text("body"))
    wait_until(lambda: second.locator(CONTENT).count() == 0)
    wait_until(lambda: SLIDE not in stage.hall.seen(), WAIT_S, step_s=1.0)
    second.get_by_role("button", name="共享屏幕").click()
    _shows_slide(stage, first)
    assert stage.holder() == SECOND
