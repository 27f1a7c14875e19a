"""A prompt in a running consultation: one room hears it, the other hears the consultation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.video_bridge.node.room import Room, strength
from tests.video_bridge.node.test_node import Node, until
from video_bridge import LocalMediaError
from video_bridge import messages as m


async def test_a_prompt_is_heard_by_its_leg_alone(tmp_path: Path) -> None:
    """The confirmation of a key is for the room that pressed it."""
    node = Node(tmp_path)
    await node.start()
    rooms = [Room(colour=(80, 90, 90), tone_hz=hz) for hz in (500, 900)]
    try:
        conference_id = await node.open()
        legs = []
        for index, room in enumerate(rooms):
            legs.append(
                await node.add(conference_id, m.LegKind.RTP, f"room {index}", media=["audio"])
            )
            answer = m.LegAnswer(leg_id=legs[-1], streams=room.streams()[:1])
            await node.client.send(answer)
            room._tasks += [
                asyncio.create_task(job()) for job in (room._send_audio, room._receive_audio)
            ]
            room.added = node.added
        first, second = rooms

        def hears(room: Room, hz: float) -> bool:
            return strength(room.heard()[-48_000:], hz) > 0.5

        await until(lambda: hears(first, 900) and hears(second, 500), 60)
        first.sound.clear()
        second.sound.clear()
        duration_s = await node.client.say(legs[0], "enter_pin")
        assert duration_s > 3
        await until(lambda: len(first.heard()) > 3 * 48_000, 60)
        assert strength(first.heard()[:144_000], 900) < 0.3
        assert strength(second.heard(), 500) > 0.5
        first.sound.clear()
        await until(lambda: len(first.heard()) > 10 * 48_000 and hears(first, 900), 60)
        for leg_id, name, code in (
            (legs[0], "nothing", "prompt_unknown"),
            ("nobody", "muted", "leg_unknown"),
        ):
            with pytest.raises(LocalMediaError) as caught:
                await node.client.say(leg_id, name)
            assert caught.value.code == code
    finally:
        for room in rooms:
            await room.stop()
            room.close()
        await node.stop()
