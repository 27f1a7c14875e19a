"""A conference's recordings and live outputs: taps on what is encoded and received anyway."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from .. import messages as m
from ..audio.mixer import Frame
from ..codecs.video import EncodedFrame
from ..errors import LocalMediaError
from ..ingest.session_media import SessionMedia
from ..leg import Leg
from ..messages import MediaKind
from ..programme import Programme
from ..sound import Sound
from ..streams.inbound_video import InboundVideo
from ..video.ladder import Rung
from . import wire
from .link import RecorderLink
from .wire import Json, Kind

PROGRAMME_STREAM = 1
VIDEO_CLOCK = 90_000
MINIMUM_FREE_LIVE = 64 << 20


class ProgrammeOutput:
    """The programme's picture and sound to one recorder process; a `ProgrammeTap`."""

    def __init__(
        self, programme: Programme, sound: Sound, config: Json, tell: Callable[[Json], None]
    ) -> None:
        self.rung: Rung | None = None
        self._programme = programme
        self._sound = sound
        self._tell = tell
        loop = asyncio.get_running_loop()
        self._offset_us = time.time_ns() // 1000 - round(loop.time() * 1e6)
        self._wishes: dict[int, Callable[[], None]] = {}
        self.link = RecorderLink(config, self._take_word)

    def begin_programme(self) -> None:
        said = {"source": "programme", "name": self._programme.title, "codec": "H264"}
        self.link.announce(PROGRAMME_STREAM, said)
        self._programme.taps.append(self)
        self._sound.taps.append(self.take_sound)

    def wall_us(self, now: float) -> int:
        """Steady through jumps of the wall clock."""
        return self._offset_us + round(now * 1e6)

    def take_picture(self, frame: EncodedFrame, now: float) -> None:
        self.send(PROGRAMME_STREAM, frame.data, frame.is_key, round(now * VIDEO_CLOCK), now)

    def take_sound(self, mixed: Frame, now: float) -> None:
        body = mixed.astype("<i2").tobytes()
        self.link.send(wire.pack(Kind.SOUND, body, PROGRAMME_STREAM, self.wall_us(now)))

    def send(self, stream: int, frame: bytes, is_key: bool, timestamp: int, now: float) -> None:
        self.link.send(wire.pack(Kind.PICTURE, frame, stream, self.wall_us(now), timestamp, is_key))

    def _take_word(self, word: Json) -> None:
        if word.get("event") != "key":
            self._tell(word)
        elif word.get("stream") == PROGRAMME_STREAM:
            if self.rung is not None:
                self.rung.wish.want()
        elif (wish := self._wishes.get(int(word.get("stream", 0)))) is not None:
            wish()

    async def close(self) -> None:
        if self in self._programme.taps:
            self._programme.taps.remove(self)
            self._sound.taps.remove(self.take_sound)
        self.rung = None
        await self.link.stop()


class Recording(ProgrammeOutput):
    """Every source that was asked for; legs that come later, too (`poll`)."""

    def __init__(
        self,
        request: m.RecordStart,
        programme: Programme,
        sound: Sound,
        legs: Callable[[], Sequence[Leg]],
        tell: Callable[[Json], None],
    ) -> None:
        config = {
            "mode": "record",
            "target": request.folder,
            "minimum_free_bytes": request.minimum_free_bytes,
        }
        super().__init__(programme, sound, config, tell)
        self._legs = legs
        self._medias: tuple[MediaKind, ...] = ()
        if "sites" in request.sources:
            self._medias += ("video",)
        if "content" in request.sources:
            self._medias += ("content",)
        self._numbers = itertools.count(PROGRAMME_STREAM + 1)
        self._tapped: dict[InboundVideo, int] = {}
        if "programme" in request.sources:
            self.begin_programme()

    def poll(self) -> None:
        """Tap streams that are new, let go of those that ended."""
        present: dict[InboundVideo, tuple[Leg, MediaKind]] = {}
        for leg in self._legs():
            if leg.publish and leg.has_media and isinstance(leg.media, SessionMedia):
                for media, stream in leg.media.session.pictures.items():
                    if media in self._medias:
                        present[stream] = (leg, media)
        for stream in self._tapped.keys() - present.keys():
            self._untap(stream)
        for stream, (leg, media) in present.items():
            if stream not in self._tapped:
                self._tap(stream, leg, media)

    def _tap(self, stream: InboundVideo, leg: Leg, media: MediaKind) -> None:
        number = next(self._numbers)
        self._tapped[stream] = number
        prefix = "content" if media == "content" else "leg"
        source = f"{prefix}:{leg.leg_id}"
        said = {"source": source, "name": leg.name, "codec": stream.plan.codec}
        self.link.announce(number, said)

        def take(_codec: str, frame: bytes, is_key: bool, timestamp: int, now: float) -> None:
            self.send(number, frame, is_key, timestamp, now)

        def ask() -> None:
            if isinstance(leg.media, SessionMedia):
                leg.media.session.ask_keyframe(0, media)

        stream.tap = take
        self._wishes[number] = ask

    def _untap(self, stream: InboundVideo) -> None:
        number = self._tapped.pop(stream)
        stream.tap = None
        self._wishes.pop(number, None)
        self.link.end_stream(number)

    async def close(self) -> None:
        for stream in list(self._tapped):
            self._untap(stream)
        await super().close()


class Outputs:
    """All that one conference gives out. Closed before the conference's tasks are."""

    def __init__(
        self,
        conference_id: str,
        programme: Programme,
        sound: Sound,
        legs: Callable[[], Sequence[Leg]],
        emit: Callable[[m.Event], None],
    ) -> None:
        self._conference_id = conference_id
        self._programme = programme
        self._sound = sound
        self._legs = legs
        self._emit = emit
        self._recordings: dict[str, Recording] = {}
        self._lives: dict[str, ProgrammeOutput] = {}
        self._failed: set[str] = set()

    @property
    def recording_ids(self) -> list[str]:
        return list(self._recordings)

    @property
    def live_ids(self) -> list[str]:
        return list(self._lives)

    def start_recording(self, request: m.RecordStart) -> None:
        """Raises LocalMediaError `recording_running`, `recording_folder_refused`."""
        if request.recording_id in self._recordings:
            return
        if self._recordings:
            raise LocalMediaError("recording_running", recording_id=next(iter(self._recordings)))
        _check_folder(request.folder, "recording_folder_refused")

        def tell(word: Json) -> None:
            self._tell_recording(request.recording_id, word)

        self._recordings[request.recording_id] = Recording(
            request, self._programme, self._sound, self._legs, tell
        )

    def start_live(self, request: m.LiveStart) -> None:
        """Raises LocalMediaError `live_target_refused`."""
        if request.live_id in self._lives:
            return
        if request.kind == "hls":
            _check_folder(request.target, "live_target_refused")
        else:
            _check_rtmp(request.target)
        config = {
            "mode": request.kind,
            "target": request.target,
            "minimum_free_bytes": MINIMUM_FREE_LIVE,
            "delay_s": request.delay_s,
        }

        def tell(word: Json) -> None:
            self._tell_live(request.live_id, word)

        live = ProgrammeOutput(self._programme, self._sound, config, tell)
        self._lives[request.live_id] = live
        live.begin_programme()

    async def stop_recording(self, recording_id: str) -> None:
        recording = self._recordings.get(recording_id)
        if recording is not None:
            await recording.close()
            self._recordings.pop(recording_id, None)
            self._failed.discard(recording_id)

    async def stop_live(self, live_id: str) -> None:
        live = self._lives.get(live_id)
        if live is not None:
            await live.close()
            self._lives.pop(live_id, None)
            self._failed.discard(live_id)

    def poll(self) -> None:
        for recording in self._recordings.values():
            recording.poll()

    async def close(self) -> None:
        await asyncio.gather(
            *(self.stop_recording(recording_id) for recording_id in self.recording_ids),
            *(self.stop_live(live_id) for live_id in self.live_ids),
        )

    def _tell_recording(self, recording_id: str, word: Json) -> None:
        ids: Json = {"conference_id": self._conference_id, "recording_id": recording_id}
        match word.pop("event", None):
            case "segment":
                self._emit(m.RecordingSegment.model_validate({**ids, **word}))
            case "failed":
                self._failed.add(recording_id)
                recording = self._recordings.get(recording_id)
                dropped = 0 if recording is None else recording.link.dropped
                self._emit(m.RecordingFailed(**ids, code=str(word["code"]), dropped=dropped))
            case "writing" if recording_id in self._failed:
                self._failed.discard(recording_id)
                self._emit(m.RecordingResumed(**ids))

    def _tell_live(self, live_id: str, word: Json) -> None:
        ids: Json = {"conference_id": self._conference_id, "live_id": live_id}
        match word.get("event"):
            case "failed":
                self._emit(m.LiveFailed(**ids, code=str(word["code"])))
            case "writing":
                self._emit(m.LiveFlowing(**ids))


def _check_folder(folder: str, code: str) -> None:
    path = Path(folder)
    if not path.is_absolute() or ".." in path.parts or not folder.isprintable():
        raise LocalMediaError(code, folder=folder[:200])


def _check_rtmp(url: str) -> None:
    """rtmp:// or rtmps:// to a host; anything else never reaches FFmpeg. The key stays unsaid."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("rtmp", "rtmps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not url.isprintable() or any(c.isspace() for c in url):
        raise LocalMediaError("live_target_refused")
