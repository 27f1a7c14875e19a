"""Any standard client joins: WHIP publishes, WHEP plays, the token decides."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import wait_until
from tests.harness.product import Api, Product
from tests.harness.whip import Client
from tests.scenarios import story

PEERS = pytest.mark.peer("fonts")


class Meeting:
    """A running product with one open consultation."""

    def __init__(self, folder: Path) -> None:
        self.product = Product(folder / "product")
        self.api: Api = self.product.api()
        incident = story.file_report(self.api)
        self.consultation: dict[str, Any] = self.api.post(
            f"/incidents/{incident['id']}/consultations", {"title": "会商", "members": []}
        )
        self.path = f"/consultations/{self.consultation['id']}"

    def token(self, name: str, *, publish: bool, play: bool) -> str:
        made = self.api.post(
            f"{self.path}/join-tokens",
            {
                "participant_id": None,
                "name": name,
                "publish": publish,
                "play": play,
                "expires_minutes": 5,
            },
        )
        return str(made["token"])

    def endpoint(self, kind: str) -> str:
        return f"{self.product.base}/api/v1{self.path}/{kind}"


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    made = Meeting(tmp_path_factory.mktemp("meeting"))
    yield made
    made.product.close()


@PEERS
def test_what_whip_publishes_whep_plays(meeting: Meeting) -> None:
    """Two publishers and a player, each by the RFC's requests alone."""
    publishers = [
        Client(meeting.endpoint("whip"), meeting.token(name, publish=True, play=False))
        for name in ("无人机", "单兵")
    ]
    player = Client(meeting.endpoint("whep"), meeting.token("上墙", publish=False, play=True))
    publishers[0].publish(21, 600.0)
    publishers[1].publish(22, 900.0)
    player.play()
    wait_until(lambda: set(player.seen()) == {21, 22}, 20, lambda: f"sees {player.seen()}")
    wait_until(lambda: player.heard([600.0, 900.0, 1300.0]) == {600.0, 900.0}, 20)
    assert publishers[0].headers.get("etag")
    assert publishers[0].leave() in (200, 204)
    wait_until(lambda: set(player.seen()) == {22}, 10, lambda: f"sees {player.seen()}")
    assert player.leave() in (200, 204)
    publishers[1].leave()


@PEERS
def test_a_session_without_a_good_token_is_refused(meeting: Meeting) -> None:
    """Wrong, missing and insufficient tokens each get their own stable code."""
    api = Api(meeting.product.base)
    path = f"/api/v1{meeting.path}/whip"

    def post(token: str | None, body: bytes = b"v=0\r\n", kind: str = "application/sdp") -> Any:
        headers = {"Content-Type": kind}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        status, _, raw = api.raw("POST", path, body, headers)
        with contextlib.suppress(ValueError):
            return status, json.loads(raw).get("code")
        return status, raw

    assert post(None)[0] == 401
    assert post("nonsense") == (401, "join_token_invalid")
    player = meeting.token("上墙", publish=False, play=True)
    assert post(player)[0] == 403
    publisher = meeting.token("单兵", publish=True, play=False)
    assert post(publisher, kind="text/plain")[0] == 415
    status, code = post(publisher, b"this is no SDP")
    assert (status, code) == (422, "sdp_malformed")
