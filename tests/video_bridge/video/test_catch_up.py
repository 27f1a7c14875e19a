"""Who joins between two key frames is led from the last one to the live picture."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from tests.video_bridge.node.room import _socket
from video_bridge.allocation.rungs import H264_720P, LINE_OVERHEAD, RungKey
from video_bridge.codecs.video import VideoDecoder
from video_bridge.payload import h264
from video_bridge.programme import Programme
from video_bridge.rtp.packet import RtpPacket, sequence_distance, timestamp_distance
from video_bridge.streams.outbound import Outbound
from video_bridge.streams.plan import MediaPlan
from video_bridge.video.catch_up import LEADS_FOR_S, MAX_FRAMES, CatchUp, History
from video_bridge.video.ladder import KEYFRAME_PAUSE_S

TICK_S, TICK = 0.04, 3600


def history_of(*octets: int) -> History:
    """A key frame and what followed it, 40 ms apart from 100 s on."""
    history = History()
    for number, size in enumerate(octets):
        history.add(number, size, 100 + number * TICK_S, is_key=not number)
    return history


def test_a_young_key_frame_leads_a_line_that_has_room() -> None:
    """It has to cover the pause between key frames, or newcomers would wait for its end."""
    history = history_of(60_000, *[4000] * 17)
    now = 100 + 17 * TICK_S
    assert now - 100 > KEYFRAME_PAUSE_S - TICK_S
    assert history.leads(2_000_000, now)
    assert not history.leads(1_000_000, now), "it would run behind for seconds"
    assert not history.leads(3_000_000, 100 + LEADS_FOR_S + 0.01), "a new key frame is less to send"
    assert not History().leads(3_000_000, 100.0), "nothing was sent yet"
    assert history_of(60_000).leads(300_000, 100.0), "the key frame alone is never too much"


def test_what_grew_too_long_is_given_up_until_the_next_key_frame() -> None:
    """Ten seconds of pictures need not be remembered."""
    history = history_of(*[10] * (MAX_FRAMES + 5))
    assert not history.frames
    history.add(500, 10, 110.0, is_key=True)
    assert len(history.frames) == 1


@given(
    sizes=st.lists(st.integers(50, 9000), min_size=1, max_size=25),
    line_bps=st.integers(100_000, 3_000_000),
    live=st.integers(50, 6000),
)
def test_a_newcomer_is_never_sent_more_than_his_line_takes(
    sizes: list[int], line_bps: int, live: int
) -> None:
    """Whatever was missed: in order, none left out, stamps ascending, within the line's rate."""
    history = history_of(50_000, *sizes)
    octets = [50_000, *sizes]
    way = CatchUp(history)
    stamp, sent, stamps, spent = 900_000, [], [], 0.0
    per_picture = line_bps / 8 / 25
    for tick in range(1, 40):
        if way.is_done or way.is_lost:
            break
        found = way.due(per_picture, stamp)
        assert found, "he never falls further behind"
        sent += [batch for batch, _ in found]
        stamps += [at for _, at in found]
        spent += LINE_OVERHEAD * sum(octets[batch] for batch, _ in found if batch)
        largest = LINE_OVERHEAD * octets[found[0][0]]
        assert spent <= tick * max(per_picture, LINE_OVERHEAD * max(*sizes, live)) + largest
        if way.is_done:
            assert found[-1][1] == stamp, "the live picture has its own stamp"
        stamp += TICK
        octets.append(live)
        if not way.is_done:
            history.add(len(octets) - 1, live, 200.0, is_key=False)
    assert sent == list(range(len(sent)))
    assert all(later > earlier for earlier, later in itertools.pairwise(stamps))


def test_a_new_key_frame_ends_the_way() -> None:
    """From there on he goes with all the others."""
    history = history_of(50_000, *[5000] * 20)
    way = CatchUp(history)
    way.due(8000, 900_000)
    assert not way.is_done and not way.is_lost
    history.add(99, 50_000, 101.0, is_key=True)
    assert way.is_lost


class Clock:
    """The event loop as a programme uses it, at a time of the test's own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._loop = asyncio.get_running_loop()

    def time(self) -> float:
        return self.now

    def run_in_executor(self, *words: object) -> object:
        return self._loop.run_in_executor(*words)  # type: ignore[arg-type]

    def call_later(self, delay: float, call: Callable[..., None], *words: object) -> None:
        del delay
        call(*words)


class Watcher:
    """One who is sent the programme, and what he got."""

    def __init__(self, ssrc: int) -> None:
        self._socket = _socket()
        self._ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        plan = MediaPlan(
            media="video", codec="H264", payload_type=97, clock_rate=90_000,
            send=True, receive=False, profile_level_id="42e01f",
        )  # fmt: skip
        self.outbound = Outbound(plan, ssrc)
        self.outbound.route(self._ours, self._socket.getsockname())
        self.packets: list[RtpPacket] = []

    def frames(self) -> list[tuple[int, bytes]]:
        """Every picture so far: its stamp and its access unit."""
        while True:
            try:
                self.packets.append(RtpPacket.parse(self._socket.recv(2048)))
            except BlockingIOError:
                break
        depacketiser = h264.Depacketiser()
        return [
            (stamp, depacketiser.depacketise([p.payload for p in group]))
            for stamp, group in itertools.groupby(self.packets, lambda p: p.timestamp)
        ]

    @property
    def keyframes(self) -> int:
        return sum(h264.is_keyframe(data) for _, data in self.frames())

    def close(self) -> None:
        self.outbound.close()
        self._ours.close()
        self._socket.close()


class Stage:
    """A programme, ticked by hand."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.watchers: list[Watcher] = []
        self.key: RungKey = H264_720P
        self.programme = Programme(
            pool,
            list,
            lambda now: [(watcher.outbound, self.key) for watcher in self.watchers],
            lambda now: None,
        )
        self.clock = Clock()
        self.programme._loop = self.clock  # type: ignore[assignment]

    def join(self) -> Watcher:
        self.watchers.append(Watcher(1000 + len(self.watchers)))
        return self.watchers[-1]

    async def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.programme.title = f"第{self.clock.now:.2f}秒"  # something moves
            await self.programme._tick()
            self.clock.now += TICK_S


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    with ThreadPoolExecutor(2) as pool:
        made = Stage(pool)
        yield made
        for watcher in made.watchers:
            watcher.close()


async def test_who_joins_within_the_pause_sees_a_picture_at_once(stage: Stage) -> None:
    """And costs those who are in no key frame; all pictures decode, none comes twice."""
    first = stage.join()
    await stage.tick(8)
    assert first.keyframes == 1
    second = stage.join()
    await stage.tick(1)
    led = second.frames()
    assert h264.is_keyframe(led[0][1]), "in the very tick"
    await stage.tick(12)
    assert first.keyframes == second.keyframes == 1
    got, expected = second.frames(), first.frames()
    assert [data for _, data in got] == [data for _, data in expected]
    ours, theirs = [s for s, _ in got], [s for s, _ in expected]
    assert all(timestamp_distance(b, a) > 0 for a, b in itertools.pairwise(ours))
    assert {timestamp_distance(b, a) for a, b in itertools.pairwise(ours[-3:])} == {TICK}
    assert {timestamp_distance(b, a) for a, b in itertools.pairwise(theirs)} == {TICK}
    numbers = [p.sequence_number for p in second.packets]
    assert all(sequence_distance(b, a) == 1 for a, b in itertools.pairwise(numbers))
    decoder = VideoDecoder("H264")
    assert sum(len(decoder.decode(data)) for _, data in got) == len(got) == 21


async def test_who_joins_later_is_given_a_key_frame_of_his_own(stage: Stage) -> None:
    """What lies further back than a second is more to send than a new one."""
    first = stage.join()
    await stage.tick(round(LEADS_FOR_S / TICK_S) + 3)
    second = stage.join()
    await stage.tick(2)
    assert first.keyframes == 2
    assert second.keyframes == 1
    assert len(second.frames()) == 2


async def test_what_was_sent_again_can_be_asked_for_again(stage: Stage) -> None:
    """A NACK of a newcomer finds the picture as it was sent to him."""
    stage.join()
    await stage.tick(5)
    second = stage.join()
    await stage.tick(1)
    second.frames()
    lost = second.packets[0]
    rung, target = second.outbound.rung, second.outbound.target
    assert rung is not None and target is not None
    assert rung.fanout.resend(target, [lost.sequence_number]) == 1
    second.frames()
    assert second.packets[-1] == lost
