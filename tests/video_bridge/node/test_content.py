"""The second stream on a running node: rooms over plain RTP, each with a content line."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.video_bridge.node.content_line import ContentLine
from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import Node, until
from video_bridge import LocalMediaError
from video_bridge import messages as m

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    started = Node(tmp_path_factory.mktemp("node"))
    await started.start()
    yield started
    await started.stop()


async def hall(node: Node, conference: str, line: ContentLine, name: str) -> tuple[str, int]:
    """A room with a content line only; its leg and the node's content port."""
    fields = {"media": ["audio", "video", "content"], "remote_host": "127.0.0.1"}
    leg = await node.add(conference, m.LegKind.RTP, name, **fields)
    port = node.added.content_port
    assert port and port not in (node.added.audio_port, node.added.video_port)
    await node.client.send(m.LegAnswer(leg_id=leg, streams=[line.stream()]))
    return leg, port


def shows(line: ContentLine, blue: int) -> bool:
    return bool(line.pages) and abs(int(line.pages[-1].u[150, 160]) - blue) < 12


async def test_content_of_the_token_holder_alone_reaches_all_others(node: Node) -> None:
    """One page at a time, to everybody but its presenter; a late joiner begins at a key frame."""
    conference = await node.open()
    first, second, third, late = (ContentLine(0x510 + number) for number in range(4))
    try:
        first_leg, port = await hall(node, conference, first, "主会场")
        first.present(port, (60, 200, 90))
        second_leg, port = await hall(node, conference, second, "分会场")
        second.present(port, (60, 60, 90))
        _, port = await hall(node, conference, third, "旁听")
        third.watch(port)
        await node.client.send(m.ContentSet(conference_id=conference, leg_id=first_leg))
        await until(lambda: shows(third, 200) and shows(second, 200))
        flowing = node.told(m.ContentFlowing, first_leg)
        assert [(e.width, e.height) for e in flowing] == [(1280, 720)]
        assert not first.pages, "its own page is not sent back to the presenter"
        assert (third.pages[-1].width, third.pages[-1].height) == (1280, 720)
        _, port = await hall(node, conference, late, "迟到")
        late.watch(port)
        await until(lambda: shows(late, 200), 8)  # sooner than the next key frame by the clock
        await node.client.send(m.ContentSet(conference_id=conference, leg_id=second_leg))
        await until(lambda: shows(third, 60) and shows(first, 60))
        assert node.told(m.ContentStopped, first_leg)[0].reason == "cleared"
        stats = (await node.client.stats(conference)).conferences[0]
        assert stats.content_leg_id == second_leg
        streams = {(s.media, s.direction): s for leg in stats.legs for s in leg.streams}
        assert streams["content", "out"].height == 720
        await node.client.send(m.LegRemove(leg_id=second_leg))
        await until(lambda: bool(node.told(m.ContentStopped, second_leg)))
        assert node.told(m.ContentStopped, second_leg)[0].reason == "left"
        assert (await node.client.stats(conference)).conferences[0].content_leg_id is None
    finally:
        for line in (first, second, third, late):
            await line.stop()
        await node.client.send(m.ConferenceClose(conference_id=conference))


async def test_presenter_must_be_there_and_able_to_send(node: Node) -> None:
    """A token given to nobody would leave every screen dark."""
    conference = await node.open()
    camera = await node.add(conference, m.LegKind.SYNTHETIC, "东门", url="synthetic:东门")
    for leg, code in ((camera, "leg_unknown"), ("nobody", "leg_unknown")):
        with pytest.raises(LocalMediaError) as refused:
            await node.client.send(m.ContentSet(conference_id=conference, leg_id=leg))
        assert refused.value.code == code
    await node.client.send(m.ContentSet(conference_id=conference))
    await node.client.send(m.ConferenceClose(conference_id=conference))


async def test_large_page_is_sent_large_to_who_can_show_it(node: Node) -> None:
    """Small letters of a 1080-line page are not thrown away where the room decodes 1080 lines."""
    conference = await node.open()
    presenter, watcher = ContentLine(0x610), ContentLine(0x611)
    try:
        leg, port = await hall(node, conference, presenter, "主会场")
        presenter.present(port, (60, 200, 90), (1920, 1080))
        _, port = await hall(node, conference, watcher, "分会场")
        watcher.watch(port)
        await node.client.send(m.ContentSet(conference_id=conference, leg_id=leg))
        await until(lambda: shows(watcher, 200))
        assert (watcher.pages[-1].width, watcher.pages[-1].height) == (1920, 1080)
    finally:
        await presenter.stop()
        await watcher.stop()
        await node.client.send(m.ConferenceClose(conference_id=conference))


async def test_hall_without_a_content_line_sees_the_page_in_its_picture(node: Node) -> None:
    """Content large, sites small, for old rooms alone; stop gives the old picture back."""
    conference = await node.open()
    presenter = ContentLine(0x710)
    old, new = (Room(colour=(120, 90, 220), tone_hz=hertz) for hertz in (500.0, 900.0))
    line = ContentLine(0x711)
    try:
        leg, port = await hall(node, conference, presenter, "主会场")
        presenter.present(port, (60, 200, 90))
        for room, extra in ((old, []), (new, [line.stream()])):
            media = ["audio", "video", *(["content"] if extra else [])]
            fields = {"media": media, "remote_host": "127.0.0.1"}
            added = await node.add(conference, m.LegKind.RTP, "分会场", **fields)
            streams = [*room.streams(), *extra]
            await node.client.send(m.LegAnswer(leg_id=added, streams=streams))
            room.start(node.added)
        line.watch(node.added.content_port or 0)

        def page_seen(room: Room) -> bool:
            """The page's blue in the middle of the largest pane (1+5)."""
            return bool(room.pictures) and abs(int(room.pictures[-1].u[120, 200]) - 200) < 12

        await until(lambda: old.pictures and new.pictures, 30)
        assert not page_seen(old)
        await node.client.send(m.ContentSet(conference_id=conference, leg_id=leg))
        await until(lambda: page_seen(old) and shows(line, 200), 30)
        seen = old.pictures[-1]
        assert abs(int(seen.v[60, 530]) - 220) < 12, "a site small, to the right of the page"
        assert not page_seen(new), "who has a content line keeps the whole picture"
        await node.client.send(m.ContentSet(conference_id=conference))
        await until(lambda: not page_seen(old), 20)
    finally:
        for room in (old, new):
            await room.stop()
            room.close()
        await presenter.stop()
        await line.stop()
        await node.client.send(m.ConferenceClose(conference_id=conference))
