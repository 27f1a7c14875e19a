"""会控 by real clients: Chromium tabs and a baresip hall see and hear what the desk orders.

One product start serves all tests of this file; each restores what it found.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.browser import Browser
from tests.harness.processes import wait_until
from tests.harness.product import sip_address
from tests.scenarios import story
from tests.scenarios.stage import CAMERA_NAME, PHONE_NAME, PROGRAMME, MainStage, staged
from tests.scenarios.story import CAMERA, HALL, PHONE, TONES

PEERS = pytest.mark.peer("chromium", "baresip", "camera", "fonts")
ALL = {HALL, CAMERA, PHONE}
LATE_NAME = "后入会专家"


class Meeting(MainStage):
    """The main job's three members in one consultation, and a desk that orders."""

    def begin(self) -> None:
        """Open the consultation and wait until everybody is in and sees everybody."""
        self.gather()
        self.wait_joined(*self.names)
        self.ids = {
            HALL: self.id_of(self.site["name"]),
            CAMERA: self.id_of(CAMERA_NAME),
            PHONE: self.id_of(PHONE_NAME),
        }
        self.sees(ALL, timeout_s=60)

    def id_of(self, name: str) -> str:
        return str(story.participant(self.api, self.consultation, name)["id"])

    def order(self, method: str, path: str, body: Any = None) -> Any:
        return self.api.call(method, self.path + path, {} if body is None else body)

    def late_joiner(self) -> Browser:
        """A second tab of the same browser, by a link of its own, that only watches."""
        link = self.order(
            "POST", "/join-tokens", {"name": LATE_NAME, "publish": False, "expires_minutes": 60}
        )
        tab = copy.copy(self.phone)
        tab.page = self.phone.context.new_page()
        tab.page.goto(link["join_url"])
        tab.page.get_by_role("button", name="加入会商").click()
        return tab

    def turns(self) -> list[str]:
        """Whose turn it was, as the live events told it."""
        events = self.api.get("/events?limit=1000")["items"]
        return [
            str(event["body"]["participant_id"])
            for event in events
            if event["body"].get("what") == "polling_turn"
        ]

    def sees(self, wanted: set[int], tab: Browser | None = None, timeout_s: float = 30) -> None:
        """Wait until exactly these are in a tab's picture."""
        page = tab or self.phone
        seen: list[set[int]] = []

        def is_so() -> bool:
            seen[:] = [set(page.seen(PROGRAMME))]
            return seen == [wanted]

        wait_until(is_so, timeout_s, lambda: f"sees {seen}, wanted {wanted}", step_s=0.3)

    def phone_hears(self, wanted: set[float]) -> None:
        heard: list[set[float]] = []

        def is_so() -> bool:
            heard[:] = [self.phone.heard(TONES)]
            return heard == [wanted]

        wait_until(is_so, 40, lambda: f"phone hears {heard}, wanted {wanted}")

    def hall_hears(self, wanted: set[float]) -> None:
        wait_until(
            lambda: self.hall.heard(TONES) == wanted,
            40,
            lambda: f"hall hears {self.hall.heard(TONES)}, wanted {wanted}",
            step_s=0.5,
        )


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    with staged(Meeting, tmp_path_factory.mktemp("desk")) as made:
        made.begin()
        yield made


@PEERS
def test_a_broadcast_forces_the_view_of_late_joiners_too(meeting: Meeting) -> None:
    """All others see the broadcast site alone, whoever came when; stopping frees them."""
    meeting.order("POST", "/broadcast", {"participant_id": meeting.ids[HALL]})
    meeting.sees({HALL})
    late = meeting.late_joiner()
    meeting.sees({HALL}, late)
    meeting.order("DELETE", "/broadcast")
    meeting.sees(ALL)
    meeting.sees(ALL, late)
    late.page.close()


@PEERS
def test_a_roll_call_leaves_the_chair_and_the_called_site(meeting: Meeting) -> None:
    """点名: the others are silent, the called site is seen; cancelling restores every tone."""
    meeting.phone_hears({story.HALL_TONE, story.CAMERA_TONE})
    meeting.order("POST", "/chair", {"participant_id": meeting.ids[PHONE]})
    meeting.order("POST", "/roll-call", {"participant_id": meeting.ids[HALL]})
    meeting.sees({HALL})
    meeting.phone_hears({story.HALL_TONE})
    meeting.hall_hears({story.PHONE_TONE})
    meeting.order("DELETE", "/roll-call")
    meeting.order("DELETE", "/chair")
    meeting.phone_hears({story.HALL_TONE, story.CAMERA_TONE})
    meeting.hall_hears({story.PHONE_TONE, story.CAMERA_TONE})
    meeting.sees(ALL)


@PEERS
def test_polling_rotates_the_sites(meeting: Meeting) -> None:
    """轮询: each chosen site has its time, in the order chosen, again and again."""
    order = [CAMERA, HALL, PHONE]
    sites = [meeting.ids[site] for site in order]
    meeting.order("POST", "/polling", {"participant_ids": sites, "interval_s": 5})
    alone: set[int] = set()

    def each_was_alone() -> bool:
        seen = set(meeting.phone.seen(PROGRAMME))
        alone.update(seen if len(seen) == 1 else ())
        return alone == ALL

    wait_until(each_was_alone, 90, lambda: f"alone so far {alone}", step_s=0.3)
    turns = meeting.turns()
    meeting.order("DELETE", "/polling")
    meeting.sees(ALL)
    assert turns == [sites[(step + 1) % 3] for step in range(len(turns))]  # the first at the start


@PEERS
@pytest.mark.timeout(500)
def test_keys_of_the_hall_are_orders(meeting: Meeting) -> None:
    """RFC 4733 from the remote control: 发言, 签到, 静音, 主席 and 全场静音, each undone again."""
    hall, phone = meeting.ids[HALL], meeting.ids[PHONE]

    def control() -> dict[str, Any]:
        found: dict[str, Any] = meeting.api.get(meeting.path)["control"]
        return found

    def row(member: str) -> dict[str, Any]:
        rows = story.members(meeting.api, meeting.consultation)
        return next(one for one in rows if one["id"] == member)

    def press(digit: str, done: Callable[[], bool]) -> None:
        for key in f"*{digit}":
            meeting.hall.command("sndcode", key)
        wait_until(done, 30, lambda: f"*{digit} not obeyed\n{meeting.hall.peer.text()[-800:]}")

    press("9", lambda: [one["participant_id"] for one in control()["floor"]] == [hall])
    assert control()["floor"][0]["origin"] == "key"
    press("0", lambda: not control()["floor"])
    meeting.order("POST", "/attendance")
    press(
        "1", lambda: [one["participant_id"] for one in control()["attendance"]["marks"]] == [hall]
    )
    meeting.order("DELETE", "/attendance")
    press("6", lambda: bool(row(hall)["is_self_muted"]))
    meeting.phone_hears({story.CAMERA_TONE})
    press("6", lambda: not row(hall)["is_self_muted"])
    meeting.phone_hears({story.HALL_TONE, story.CAMERA_TONE})
    press("3", lambda: control()["chair_id"] == hall)
    press("5", lambda: bool(row(phone)["microphone_muted"]))
    assert not row(hall)["microphone_muted"]
    press("8", lambda: not row(phone)["microphone_muted"])
    press("3", lambda: control()["chair_id"] is None)


@PEERS
def test_a_locked_meeting_refuses_dial_in_and_the_desk_dials_out(meeting: Meeting) -> None:
    """锁定会议: the hall that left may not return by itself; the desk brings it back."""
    name = meeting.site["name"]
    meeting.hall.hang_up()
    story.wait_state(meeting.api, meeting.consultation, name, "left", 15)
    meeting.order("POST", "/lock")
    said = len(meeting.hall.peer.text())
    meeting.hall.dial(f"sip:{meeting.consultation['dial_number']}@{sip_address()}")
    wait_until(lambda: re.search(r"\b403 \w", meeting.hall.peer.text()[said:]))
    assert story.participant(meeting.api, meeting.consultation, name)["state"] == "left"
    meeting.order("POST", f"/participants/{meeting.ids[HALL]}/dial")
    story.wait_state(meeting.api, meeting.consultation, name, "joined", 20)
    meeting.order("DELETE", "/lock")
    meeting.sees(ALL)
