"""What the desk's picture words do on a running node: layouts, views, cards, texts, previews."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator

import cv2
import numpy as np
import pytest
import pytest_asyncio
from uuid6 import uuid7

from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import Node, until
from tests.video_bridge.video.ink import best_match, written
from video_bridge import LocalMediaError
from video_bridge import messages as m
from video_bridge.video.caption import caption_size
from video_bridge.video.layouts import panes_of
from video_bridge.video.overlay import Overlay, strips

OWN_SIZE = (480, 272)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    started = Node(tmp_path_factory.mktemp("node"))
    await started.start()
    yield started
    await started.stop()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def no_conference_stays(node: Node) -> AsyncIterator[None]:
    """What one test shows must not take the next one's capacity."""
    yield
    for conference in (await node.client.snapshot()).conferences:
        await node.client.send(m.ConferenceClose(conference_id=conference.conference_id))


async def with_sites(node: Node, *names: str) -> tuple[str, list[str]]:
    """A conference of silent drawn sites."""
    conference = await node.open()
    legs = [
        await node.add(conference, m.LegKind.SYNTHETIC, name, url=f"synthetic:{name}?silent")
        for name in names
    ]
    return conference, legs


def luma(picture: m.Picture) -> np.ndarray:
    raw = np.frombuffer(base64.b64decode(picture.jpeg_base64), np.uint8)
    return cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)


async def look(node: Node, conference: str, **fields: object) -> np.ndarray:
    return luma(await node.client.picture(conference, 1280, **fields))


async def stats_of(node: Node, conference: str) -> m.ConferenceStats:
    return (await node.client.stats(conference)).conferences[0]


def is_named(tile: np.ndarray, name: str, pane_height: int) -> bool:
    return best_match(tile, written(name, caption_size(pane_height))) > 0.75


async def test_every_arrangement_can_be_set_and_is_told(node: Node) -> None:
    """The desk's words for layouts are the node's; what is told back is what is shown."""
    conference, legs = await with_sites(node, "甲", "乙")
    for name in ("1", "2", "3", "4", "1+5", "1+7", "9", "13", "16", "20", "25", "pip"):
        await node.client.send(m.LayoutSet(conference_id=conference, arrangement=name))
        told = await stats_of(node, conference)
        assert (told.arrangement, len(told.seats), told.panes) == (
            name, len(panes_of(name)), len(panes_of(name)),
        )  # fmt: skip
        assert told.seats[:2] == legs[: len(told.seats[:2])]
    await node.client.send(m.LayoutSet(conference_id=conference, arrangement="auto"))
    assert (await stats_of(node, conference)).arrangement == "2"
    await node.client.send(m.LayoutSet(conference_id=conference, panes=14))
    assert (await stats_of(node, conference)).arrangement == "16"


async def test_member_without_a_leg_has_a_pane_with_its_name(node: Node) -> None:
    """Who is missing is seen on the wall, and why."""
    conference, legs = await with_sites(node, "甲")
    absent = str(uuid7())
    items = [m.Placeholder(seat_id=absent, name="仁化县应急管理局", note="未入会")]
    await node.client.send(m.PlaceholdersSet(conference_id=conference, items=items))
    seats = [legs[0], absent]
    layout = m.LayoutSet(conference_id=conference, arrangement="2", seats=seats)
    await node.client.send(layout)
    picture = await look(node, conference)
    pane = panes_of("2")[1]
    tile = picture[pane.y : pane.y + pane.height, pane.x :]
    assert best_match(tile, written("仁化县应急管理局", 33, bold=True)) > 0.75
    assert best_match(tile, written("未入会", 18)) > 0.7


async def test_banner_is_for_all_and_the_clocks_for_the_chair(node: Node) -> None:
    """The halls read 横幅 and 短消息; the time that is left is the command's business."""
    conference, _ = await with_sites(node, "甲", "乙")
    soon = round(time.time() * 1000) + 3_600_000
    words = m.OverlaySet(
        conference_id=conference, banner="应急会商", message="请静音", clock=True,
        countdown_to_ms=soon, names=False,
    )  # fmt: skip
    await node.client.send(words)
    hall, chair = [await look(node, conference, view=view) for view in ("hall", "chair")]
    message, banner = strips(Overlay("应急会商", "请静音"), 1280, 720)[::-1]
    title = written("应急会商", round(banner.area.height * 0.62), bold=True)
    for picture in (hall, chair):
        foot = picture[message.area.y :]
        assert best_match(foot, written("请静音", round(48 * 0.58))) > 0.75
        assert best_match(picture[:60], title) > 0.7
    countdown = written("倒计时", round(banner.area.height * 0.52))
    assert best_match(chair[:60], countdown) > 0.75
    assert best_match(hall[:60], countdown) < 0.7
    await node.client.send(m.OverlaySet(conference_id=conference))
    again = await look(node, conference, view="chair")
    assert best_match(again[:60], countdown) < 0.7


async def test_chair_has_a_layout_of_its_own(node: Node) -> None:
    """The chair sees who waits while the halls see who speaks; until then both are one picture."""
    conference, legs = await with_sites(node, "甲", "乙")
    room = Room(colour=(90, 90, 90), tone_hz=500.0)
    leg = await node.add(conference, m.LegKind.RTP, "主席", publish=False, remote_host="127.0.0.1")
    await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
    room.start(node.added)
    try:
        await node.client.send(m.LegUpdate(leg_id=leg, view="chair"))
        await node.client.send(m.LayoutSet(conference_id=conference, arrangement="1"))
        told = await stats_of(node, conference)
        assert told.chair_arrangement is None and told.chair_seats is None
        assert [found.view for found in told.legs if found.leg_id == leg] == ["chair"]
        layout = m.LayoutSet(
            conference_id=conference, view="chair", arrangement="2", seats=[legs[1], legs[0]]
        )
        await node.client.send(layout)
        told = await stats_of(node, conference)
        assert (told.arrangement, told.chair_arrangement) == ("1", "2")
        assert told.chair_seats == [legs[1], legs[0]]

        def chair_sees_two() -> bool:
            """The ground above two panes of a half's height is dark in the chair's view only."""
            return bool(room.pictures) and int(room.pictures[-1].y[60, 300]) < 40

        await until(chair_sees_two)
        await node.client.send(m.LegUpdate(leg_id=leg, view="hall"))
        await until(lambda: not chair_sees_two())
        await node.client.send(m.LegUpdate(leg_id=leg, view="chair"))
        await until(chair_sees_two)
        assert decodes_all(room), "each change begins with a key frame"
    finally:
        await room.stop()
        room.close()


async def test_preview_shows_the_layout_to_nobody_else(node: Node) -> None:
    """The chair looks before he takes."""
    conference, legs = await with_sites(node, "甲", "翁源县")
    await node.client.send(m.LayoutSet(conference_id=conference, arrangement="1"))
    before = await stats_of(node, conference)
    preview = m.LayoutSet(conference_id=conference, arrangement="4", seats=[None, legs[1]])
    picture = await look(node, conference, preview=preview)
    pane = panes_of("4")[1]
    tile = picture[pane.y : pane.y + pane.height, pane.x : pane.x + pane.width]
    assert is_named(tile, "翁源县", pane.height)
    assert (tile > 200).sum() > 500, "a live picture, not a card"
    after = await stats_of(node, conference)
    assert (after.arrangement, after.seats) == (before.arrangement, before.seats) == ("1", legs[:1])
    elsewhere = m.LayoutSet(conference_id=str(uuid7()))
    with pytest.raises(LocalMediaError) as refused:
        await look(node, conference, preview=elsewhere)
    assert refused.value.code == "preview_elsewhere"


async def test_largest_pane_follows_the_voice(node: Node) -> None:
    """Who speaks is seen large; a muted site is not followed, a fixed seat not taken."""
    conference, legs = await with_sites(node, "甲", "乙", "丙")
    loud = await node.add(conference, m.LegKind.SYNTHETIC, "丁", url="synthetic:丁")
    speaker = m.SpeakerSwitch(sensitivity_db=30, hold_s=0.5)
    layout = m.LayoutSet(conference_id=conference, arrangement="1+5", speaker=speaker)
    await node.client.send(layout)

    async def seats() -> list[str | None]:
        return (await stats_of(node, conference)).seats

    async def seats_become(wanted: list[str | None]) -> None:
        end = time.monotonic() + 20
        while await seats() != wanted:
            assert time.monotonic() < end, await seats()
            await asyncio.sleep(0.05)

    await seats_become([loud, legs[1], legs[2], legs[0], None, None])
    assert (await stats_of(node, conference)).speaker_leg_id in (loud, None)
    fixed = layout.model_copy(update={"seats": [legs[0], legs[1]]})
    await node.client.send(fixed)
    assert (await seats())[:2] == legs[:2]
    free = layout.model_copy(update={"seats": [None, legs[1]]})
    await node.client.send(free)
    assert (await seats())[:2] == [loud, legs[1]]


def decodes_all(room: Room) -> bool:
    """Nothing that came was undecodable, but for what a loaded machine lost on the way."""
    return room.decode_errors == 0 or room._reorder.packets_given_up > 0


async def hall_of(
    node: Node, conference: str, name: str, colour: tuple[int, int, int], **plan: object
) -> tuple[Room, str]:
    """A room that sends its own colour in a size that no rung has, and sees what it is sent."""
    room = Room(colour=colour, tone_hz=400.0, size=OWN_SIZE)
    leg = await node.add(conference, m.LegKind.RTP, name, remote_host="127.0.0.1")
    await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams(**plan)))
    room.start(node.added)
    return room, leg


def sees(room: Room, blue: int, *, unchanged: bool) -> bool:
    """Whether its last picture has this much blue, and is a site's own or a composed one."""
    if not room.pictures:
        return False
    picture = room.pictures[-1]
    is_own = (picture.width, picture.height) == OWN_SIZE
    place = picture.u[picture.height // 6, picture.width // 16]
    return is_own == unchanged and abs(int(place) - blue) < 12


async def test_watched_site_is_sent_on_unchanged(node: Node) -> None:
    """观看会场: the site's own packets, cleanly from a key frame, back and forth and to several."""
    conference = await node.open()
    rooms: list[Room] = []
    try:
        north, north_leg = await hall_of(node, conference, "北厅", (60, 200, 90))
        rooms.append(north)
        for name in ("南厅", "东厅"):
            rooms.append((await hall_of(node, conference, name, (120, 90, 220)))[0])
        south, east = rooms[1:]
        legs = [leg.leg_id for leg in (await stats_of(node, conference)).legs]
        await until(
            lambda: sees(south, 200, unchanged=False) and sees(east, 200, unchanged=False), 40
        )
        for leg in legs[1:]:
            await node.client.send(m.LegUpdate(leg_id=leg, watch=north_leg))
        await until(lambda: sees(south, 200, unchanged=True) and sees(east, 200, unchanged=True))
        assert north.keyframes_asked
        told = {leg.leg_id: leg for leg in (await stats_of(node, conference)).legs}
        assert told[legs[1]].watch == north_leg
        out = next(s for s in told[legs[1]].streams if (s.media, s.direction) == ("video", "out"))
        assert out.codec == "H264" and 0 < out.bitrate_bps < 900_000
        count, asked = south.keyframes, north.keyframes_asked
        south.send_pli()
        await until(lambda: south.keyframes > count)
        assert north.keyframes_asked > asked, "a receiver's wish is asked of the sender"
        await node.client.send(m.LegUpdate(leg_id=legs[1], watch=""))
        await until(lambda: sees(south, 200, unchanged=False))
        assert sees(east, 200, unchanged=True), "who watches on is not disturbed"
        await node.client.send(m.LegRemove(leg_id=north_leg))
        await until(lambda: (east.pictures[-1].width, east.pictures[-1].height) != OWN_SIZE)
        assert all(map(decodes_all, rooms))
    finally:
        for room in rooms:
            await room.stop()
            room.close()


@pytest.mark.parametrize("obstacle", ["profile", "drill", "camera"])
async def test_watched_site_is_composed_alone_where_it_cannot_be_sent_on(
    node: Node, obstacle: str
) -> None:
    """A receiver that could not decode it, a drill's mark, a camera: all see the site anyway."""
    conference = await node.open(is_drill=obstacle == "drill")
    plan = {"profile_level_id": "42800a"} if obstacle == "profile" else {}
    rooms: list[Room] = []
    try:
        north, north_leg = await hall_of(node, conference, "北厅", (60, 200, 90))
        rooms.append(north)
        camera = await node.add(conference, m.LegKind.SYNTHETIC, "门", url="synthetic:门?silent")
        south, south_leg = await hall_of(node, conference, "南厅", (120, 90, 220), **plan)
        rooms.append(south)
        watched = camera if obstacle == "camera" else north_leg
        await until(lambda: len(south.pictures) > 5, 40)
        await node.client.send(m.LegUpdate(leg_id=south_leg, watch=watched))

        def is_alone() -> bool:
            """Its middle is the watched site's: four panes meet there otherwise, on dark ground."""
            picture = south.pictures[-1]
            middle = picture.y[picture.height // 2, picture.width // 2 - 60 : picture.width // 2]
            return int(middle.min()) > 45

        await until(is_alone)
        if obstacle == "drill":
            red = south.pictures[-1].v[1:3].astype(int)
            assert (red > 150).mean() > 0.2, "the stripe is on it"
        assert decodes_all(south)
    finally:
        for room in rooms:
            await room.stop()
            room.close()


async def test_watching_an_unknown_site_is_refused(node: Node) -> None:
    """A wrong id is told to the desk; the receiver keeps its picture."""
    _, legs = await with_sites(node, "甲")
    with pytest.raises(LocalMediaError) as refused:
        await node.client.send(m.LegUpdate(leg_id=legs[0], watch=str(uuid7())))
    assert refused.value.code == "leg_unknown"
