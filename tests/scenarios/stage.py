"""The product with the accident reported, a county hall of baresip and a browser at its links.

Scenarios add what they need: a camera, a room of another kind, further tabs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Page, Playwright, sync_playwright

from tests.harness.baresip import Baresip
from tests.harness.browser import Browser
from tests.harness.camera import Camera
from tests.harness.processes import wait_until
from tests.harness.product import Api, Product, sip_address
from tests.scenarios import story
from tests.scenarios.story import CAMERA, COUNTY, HALL, PHONE

CAMERA_NAME, PHONE_NAME = "厂门镜头", "翁城站队长"
PROGRAMME = "video:not(.self):not(.content-picture)"  # the consultation, not the self-view
CONTENT = "video.content-picture"


class Stage:
    """Where every scenario of a consultation begins; `close` ends all that it started."""

    screen = (1440, 900)  # of the browser

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        self.ends: list[Callable[[], Any]] = []
        self.product = Product(folder / "product")
        self.ends.append(self.product.close)
        self.api: Api = self.product.api()
        password = self.product.credentials()[COUNTY]
        self.hall = Baresip(
            folder / "hall",
            f"<sip:{COUNTY}@{sip_address()}>;auth_pass={password};answermode=auto"
            ";audio_codecs=PCMA;video_codecs=H264",
            marker=HALL,
            tone_hz=story.HALL_TONE,
        )
        self.ends.append(self.hall.close)
        self.phone = Browser(
            playwright,
            folder / "phone",
            marker=PHONE,
            tone_hz=story.PHONE_TONE,
            width=self.screen[0],
            height=self.screen[1],
        )
        self.ends.append(self.phone.close)
        self.incident = story.file_report(self.api)
        self.site = story.site_of(self.api, COUNTY)
        wait_until(
            lambda: "200 OK" in self.hall.peer.text(),
            why=lambda: f"hall not registered:\n{self.hall.peer.text()[-2000:]}",
        )

    def open(self, *members: dict[str, Any]) -> dict[str, Any]:
        """One click: a consultation of these members."""
        self.consultation: dict[str, Any] = self.api.post(
            f"/incidents/{self.incident['id']}/consultations",
            {"title": "液氯泄漏会商", "members": list(members)},
        )
        return self.consultation

    @property
    def path(self) -> str:
        return f"/consultations/{self.consultation['id']}"

    @property
    def hall_member(self) -> dict[str, Any]:
        return {"kind": "site", "site_id": self.site["id"]}

    def join(self, page: Page, name: str = PHONE_NAME) -> None:
        """Two taps: open the member's link, press the one big button."""
        member = story.participant(self.api, self.consultation, name)
        link = self.api.post(
            f"{self.path}/join-tokens",
            {
                "participant_id": member["id"],
                "name": name,
                "publish": True,
                "play": True,
                "expires_minutes": 60,
            },
        )["join_url"]
        page.goto(link)
        page.get_by_role("button", name="加入会商").click()

    def wait_joined(self, *names: str) -> None:
        for name in names:
            story.wait_state(self.api, self.consultation, name, "joined", 90)

    def holder(self) -> str | None:
        """Who presents."""
        holder = self.api.get(f"{self.path}/content")["holder"]
        return None if holder is None else str(holder["name"])

    def dissolve(self) -> None:
        """End the consultation, so that the next test may open one."""
        self.api.post(f"{self.path}/close")
        self.wait_hall_free()

    def wait_hall_free(self) -> None:
        """Until the hall has no call."""
        wait_until(
            lambda: "Active calls (0)" in self.hall.command("listcalls"),
            why=lambda: self.hall.command("listcalls") + self.hall.peer.text()[-2000:],
        )

    def close(self) -> None:
        for end in reversed(self.ends):
            with contextlib.suppress(Exception):
                end()


class MainStage(Stage):
    """The main job's three members: the hall, the browser as a phone, a camera at the gate."""

    screen = (412, 915)

    def __init__(self, folder: Path, playwright: Playwright) -> None:
        super().__init__(folder, playwright)
        self.camera = Camera(folder, CAMERA, story.CAMERA_TONE)
        self.ends.append(self.camera.kill)

    @property
    def names(self) -> tuple[str, str, str]:
        return (self.site["name"], CAMERA_NAME, PHONE_NAME)

    def gather(self, *others: dict[str, Any], is_hall_called: bool = True) -> None:
        """Open the consultation, call the hall unless it dials in itself, and join by phone."""
        camera = {"kind": "camera", "name": CAMERA_NAME, "url": self.camera.url}
        hall = [self.hall_member] if is_hall_called else []
        self.open(*hall, camera, {"kind": "phone", "name": PHONE_NAME}, *others)
        self.join(self.phone.page)


S = TypeVar("S", bound=Stage)


@contextlib.contextmanager
def staged(kind: type[S], folder: Path) -> Iterator[S]:
    """The stage of a fixture."""
    with sync_playwright() as playwright:
        made = kind(folder, playwright)
        try:
            yield made
        finally:
            made.close()
