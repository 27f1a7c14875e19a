"""What the node answers on its control wire, and the conferences it holds."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pydantic

from .. import datapath
from .. import messages as m
from ..allocation.budget import LegCount, Machine
from ..conference import Conference, Workers
from ..errors import LocalMediaError, VideoBridgeError
from ..ingest.echo import URL as ECHO_URL
from ..ingest.echo import EchoMedia
from ..ingest.rtp import RoomMedia
from ..ingest.rtsp import CameraMedia
from ..ingest.session_media import SessionMedia, Surroundings
from ..ingest.synthetic import SyntheticMedia, is_silent, synthetic_name
from ..ingest.webrtc import WebRtcMedia
from ..leg import Leg
from ..messages import CloseReason, LegKind, LegState
from ..prompt import Prompt
from ..transports.dscp import DEFAULT_MARKING, Marking
from ..transports.rtp_ports import RtpPorts
from .calibration import measure_speed
from .capacity import NodeCapacity, count_legs
from .tidiness import Tidiness

log = logging.getLogger(__name__)

Json = dict[str, Any]
MAX_CLOSED_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How the node was started. `media_address` is advertised instead of our own addresses."""

    node_id: str
    first_port: int
    last_port: int
    media_address: str | None = None
    capacity: float | None = None  # ms of a reference core each second; None: what it measures
    marking: Marking = DEFAULT_MARKING


_REQUESTS: dict[str, type[m.Request]] = {
    "conference.open": m.ConferenceOpen,
    "conference.close": m.ConferenceClose,
    "layout.set": m.LayoutSet,
    "overlay.set": m.OverlaySet,
    "placeholders.set": m.PlaceholdersSet,
    "leg.add": m.LegAdd,
    "leg.answer": m.LegAnswer,
    "leg.update": m.LegUpdate,
    "leg.remove": m.LegRemove,
    "leg.keyframe": m.KeyframeRequest,
    "leg.prompt": m.PromptPlay,
    "content.set": m.ContentSet,
    "recording.start": m.RecordStart,
    "recording.stop": m.RecordStop,
    "live.start": m.LiveStart,
    "live.stop": m.LiveStop,
    "stats": m.StatsGet,
    "picture": m.PictureGet,
    "snapshot": m.SnapshotGet,
    "capacity": m.CapacityGet,
}


class NodeService:
    """Answers requests; `emit(type, body)` is where events go."""

    def __init__(self, options: NodeOptions, emit: Callable[[str, Json], None]) -> None:
        self.options = options
        self.started_at = datetime.now(UTC).isoformat()
        self._emit_wire = emit
        self._ports = RtpPorts(options.first_port, options.last_port, options.marking)
        log.info("datapath: %s", datapath.status())  # compiles now rather than in a picture's time
        cores = max(2, os.cpu_count() or 2)
        self._decode = ThreadPoolExecutor(cores, "decode")
        self._encode = ThreadPoolExecutor(cores, "encode")
        self._audio = ThreadPoolExecutor(1, "audio")
        self._conferences: dict[str, Conference] = {}
        self.capacity = NodeCapacity(
            Machine(len(os.sched_getaffinity(0))), self._count, self._ticks, options.capacity
        )
        self._encode.submit(self._calibrate)
        self._workers = Workers(self._decode, self._encode, self._audio, self.capacity)
        self._around = Surroundings(self._ports, self._decode, self._emit, options.media_address)
        self._tidiness = Tidiness(
            self._decode, lambda: not any(c.legs for c in self._conferences.values())
        )
        self._adding: dict[str, asyncio.Task[m.LegAdded]] = {}  # leg id -> its first answer
        self._answers: dict[type[m.Request], Callable[[Any], Awaitable[m.Body]]] = {
            m.ConferenceOpen: self._open,
            m.ConferenceClose: self._close,
            m.LayoutSet: self._set_layout,
            m.OverlaySet: self._set_overlay,
            m.PlaceholdersSet: self._set_placeholders,
            m.LegAdd: self._add,
            m.LegAnswer: self._answer_leg,
            m.LegUpdate: self._update,
            m.LegRemove: self._remove,
            m.KeyframeRequest: self._keyframe,
            m.PromptPlay: self._play_prompt,
            m.ContentSet: self._set_content,
            m.RecordStart: self._start_recording,
            m.RecordStop: self._stop_recording,
            m.LiveStart: self._start_live,
            m.LiveStop: self._stop_live,
            m.StatsGet: self._stats,
            m.PictureGet: self._picture,
            m.SnapshotGet: self._snapshot,
            m.CapacityGet: self._tell_capacity,
        }

    def hello(self) -> Json:
        """First word to every client."""
        return {
            "node_id": self.options.node_id,
            "wire_version": m.WIRE_VERSION,
            "started_at": self.started_at,
            "free_port_pairs": self._ports.free_pairs,
        }

    async def answer(self, type_: str, body: Json) -> Json:
        """One request. Raises VideoBridgeError with a stable code, never anything else."""
        model = _REQUESTS.get(type_)
        if model is None:
            raise LocalMediaError("request_unknown", type=type_[:80])
        try:
            request = model.model_validate(body)
        except pydantic.ValidationError as error:
            raise LocalMediaError(
                "request_malformed", type=type_, errors=_validation_errors(error)
            ) from None
        try:
            reply = await self._answers[model](request)
        except VideoBridgeError:
            raise
        except Exception as error:
            log.exception("request %s failed", type_)
            raise LocalMediaError("internal_error", error=type(error).__name__) from error
        return reply.model_dump(mode="json")

    async def end_legs(self, reason: CloseReason) -> None:
        """End every leg; conferences without legs stay open for the reconciliation."""
        for conference in list(self._conferences.values()):
            for leg_id in list(conference.legs):
                await conference.close_leg(leg_id, reason)

    async def stop(self) -> None:
        """End everything: conferences, then threads."""
        conferences = list(self._conferences.values())
        self._conferences.clear()
        await asyncio.gather(*(c.close(CloseReason.NODE_STOPPED) for c in conferences))
        self._tidiness.close()
        for pool in (self._decode, self._encode, self._audio):
            pool.shutdown(wait=False, cancel_futures=True)

    def _emit(self, event: m.Event) -> None:
        if isinstance(event, m.LegClosed):
            self._adding.pop(event.leg_id, None)
            self._tidiness.ended()
            log.info("leg %s closed: %s %s", event.leg_id, event.reason, event.detail or "")
        self._emit_wire(event.type, event.model_dump(mode="json"))

    def _calibrate(self) -> None:
        """In a worker thread; until it is done the machine is taken for the reference one."""
        try:
            speed = measure_speed()
        except Exception:
            log.exception("calibration failed")
            return
        self.capacity.machine = replace(self.capacity.machine, speed=speed)
        log.info("capacity: %s", self.capacity.figures())

    def _ticks(self) -> tuple[int, int]:
        """Pictures of all conferences so far: made, and late."""
        found = [conference.ticks for conference in self._conferences.values()]
        return sum(made for made, _ in found), sum(late for _, late in found)

    def _count(self) -> LegCount:
        return count_legs(self._conferences.values())

    # --- requests -----------------------------------------------------------------------------

    def _conference(self, conference_id: str) -> Conference:
        conference = self._conferences.get(conference_id)
        if conference is None:
            raise LocalMediaError("conference_unknown", conference_id=conference_id)
        return conference

    def _leg(self, leg_id: str) -> tuple[Conference, Leg]:
        for conference in self._conferences.values():
            leg = conference.legs.get(leg_id)
            if leg is not None:
                return conference, leg
        raise LocalMediaError("leg_unknown", leg_id=leg_id)

    async def _open(self, request: m.ConferenceOpen) -> m.Body:
        existing = self._conferences.get(request.conference_id)
        if existing is not None:
            existing.reopen(request)
            return m.Done()
        conference = Conference(request, self._workers, self._emit)
        self._conferences[request.conference_id] = conference
        conference.start()
        return m.Done()

    async def _close(self, request: m.ConferenceClose) -> m.Body:
        conference = self._conferences.pop(request.conference_id, None)
        if conference is not None:
            await conference.close()
            self.capacity.forget(request.conference_id)
            self._tidiness.ended()
        return m.Done()

    async def _set_layout(self, request: m.LayoutSet) -> m.Body:
        self._conference(request.conference_id).views.set_layout(request)
        return m.Done()

    async def _set_overlay(self, request: m.OverlaySet) -> m.Body:
        self._conference(request.conference_id).views.set_overlay(request)
        return m.Done()

    async def _set_placeholders(self, request: m.PlaceholdersSet) -> m.Body:
        self._conference(request.conference_id).views.set_placeholders(request)
        return m.Done()

    async def _set_content(self, request: m.ContentSet) -> m.Body:
        self._conference(request.conference_id).content.set(request.leg_id)
        return m.Done()

    async def _start_recording(self, request: m.RecordStart) -> m.Body:
        self._conference(request.conference_id).outputs.start_recording(request)
        return m.Done()

    async def _stop_recording(self, request: m.RecordStop) -> m.Body:
        for conference in list(self._conferences.values()):
            await conference.outputs.stop_recording(request.recording_id)
        return m.Done()

    async def _start_live(self, request: m.LiveStart) -> m.Body:
        self._conference(request.conference_id).outputs.start_live(request)
        return m.Done()

    async def _stop_live(self, request: m.LiveStop) -> m.Body:
        for conference in list(self._conferences.values()):
            await conference.outputs.stop_live(request.live_id)
        return m.Done()

    async def _add(self, request: m.LegAdd) -> m.Body:
        """Adding a leg that is there gives its first answer again."""
        adding = self._adding.get(request.leg_id)
        if adding is None:
            conference = self._conference(request.conference_id)
            adding = asyncio.create_task(self._add_new(conference, request))
            self._adding[request.leg_id] = adding
        try:
            return await asyncio.shield(adding)
        except VideoBridgeError:
            self._adding.pop(request.leg_id, None)
            raise

    async def _add_new(self, conference: Conference, request: m.LegAdd) -> m.LegAdded:
        self.capacity.admit(request)
        leg = Leg(request, conference, asyncio.get_running_loop().time())
        conference.join(leg)
        try:
            added = await self._give_media(conference, leg, request)
            if leg.state is LegState.CLOSED:  # removed while its media was being made
                await leg.media.close()
                raise LocalMediaError("leg_unknown", leg_id=leg.leg_id)
            return added
        except VideoBridgeError as error:
            await conference.close_leg(leg.leg_id, CloseReason.REJECTED, error.code)
            raise
        except Exception:
            await conference.close_leg(leg.leg_id, CloseReason.FAILED)
            raise

    async def _give_media(self, conference: Conference, leg: Leg, request: m.LegAdd) -> m.LegAdded:
        def end(reason: CloseReason, detail: str) -> None:
            conference.end_leg(leg.leg_id, reason, detail)

        if request.kind is LegKind.WEBRTC:
            if request.offer_sdp is None:
                raise LocalMediaError("offer_missing")
            phone = WebRtcMedia(leg, self._around, end)
            leg.attach(phone)
            answer = await phone.answer(request.offer_sdp)
            return m.LegAdded(leg_id=leg.leg_id, answer_sdp=answer)
        if request.kind is LegKind.RTP:
            room = RoomMedia(leg, self._around, end)
            leg.attach(room)
            return await room.bind(request.media, request.remote_host, dtls=request.dtls)
        leg.play = False
        if request.kind is LegKind.RTSP:
            leg.attach(CameraMedia(leg, request.url or "", end))
        else:
            self._add_synthetic(leg, request)
        return m.LegAdded(leg_id=leg.leg_id)

    def _add_synthetic(self, leg: Leg, request: m.LegAdd) -> None:
        url = request.url or f"synthetic:{leg.name}"
        if url == ECHO_URL:
            leg.attach(EchoMedia(self._conference(request.conference_id).sound_taps))
        else:
            leg.attach(SyntheticMedia(synthetic_name(url), has_tone=not is_silent(url)))
        now = asyncio.get_running_loop().time()
        leg.watch.begin(now)
        leg.watch.excuse(now, is_exempt=True)
        leg.up(now)

    async def _answer_leg(self, request: m.LegAnswer) -> m.Body:
        _, leg = self._leg(request.leg_id)
        if not isinstance(leg.media, RoomMedia):
            raise LocalMediaError("leg_kind_unsupported", kind=leg.kind)
        await leg.media.answer(request.streams)
        return m.Done()

    async def _update(self, request: m.LegUpdate) -> m.Body:
        conference, leg = self._leg(request.leg_id)
        if request.watch is not None:
            conference.views.watch(leg, request.watch)
        if request.view is not None:
            leg.seat_view = request.view
        if request.max_bitrate_bps is not None:
            if not isinstance(leg.media, SessionMedia):
                raise LocalMediaError("leg_kind_unsupported", kind=leg.kind)
            leg.media.session.set_line(leg.media.session.terms, request.max_bitrate_bps)
        if request.name is not None:
            leg.name = request.name
        if request.microphone_muted is not None:
            leg.microphone_muted = request.microphone_muted
        if request.speaker_muted is not None:
            leg.speaker_muted = request.speaker_muted
        if request.on_hold is not None:
            leg.on_hold = request.on_hold
        if request.link is not None:
            leg.link = request.link
        if request.max_bitrate_bps is not None:
            leg.max_bitrate_bps = request.max_bitrate_bps
        if isinstance(leg.media, SessionMedia):
            leg.media.take_line()
        if request.candidate is not None:
            if not isinstance(leg.media, WebRtcMedia):
                raise LocalMediaError("leg_kind_unsupported", kind=leg.kind)
            await leg.media.trickle(request.candidate)
        return m.Done()

    async def _remove(self, request: m.LegRemove) -> m.Body:
        """Removing a leg that is gone is done already."""
        try:
            conference, leg = self._leg(request.leg_id)
        except LocalMediaError:
            return m.Done()
        await conference.close_leg(leg.leg_id, request.reason)
        return m.Done()

    async def _play_prompt(self, request: m.PromptPlay) -> m.Body:
        _, leg = self._leg(request.leg_id)
        leg.prompt = Prompt(request.name)
        return m.PromptPlaying(duration_s=leg.prompt.duration_s)

    async def _keyframe(self, request: m.KeyframeRequest) -> m.Body:
        _, leg = self._leg(request.leg_id)
        if isinstance(leg.media, (RoomMedia, WebRtcMedia)):
            leg.media.session.want_keyframe(request.media)
        return m.Done()

    async def _stats(self, request: m.StatsGet) -> m.Body:
        if request.conference_id is not None:
            return self._snapshot_of([self._conference(request.conference_id)])
        return self._snapshot_of(list(self._conferences.values()))

    async def _tell_capacity(self, request: m.CapacityGet) -> m.Body:
        del request
        return self.capacity.figures()

    async def _snapshot(self, request: m.SnapshotGet) -> m.Body:
        del request
        return self._snapshot_of(list(self._conferences.values()))

    def _snapshot_of(self, conferences: list[Conference]) -> m.Snapshot:
        now = asyncio.get_running_loop().time()
        return m.Snapshot(
            node_id=self.options.node_id,
            started_at=self.started_at,
            conferences=[conference.stats(now) for conference in conferences],
            capacity=self.capacity.figures(),
        )

    async def _picture(self, request: m.PictureGet) -> m.Body:
        conference = self._conference(request.conference_id)
        data, width, height = await conference.views.picture(request)
        return m.Picture(jpeg_base64=base64.b64encode(data).decode(), width=width, height=height)


def _validation_errors(error: pydantic.ValidationError) -> list[dict[str, str]]:
    """Where and what, without the input: it may hold secrets or bytes that are no text."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        {"field": ".".join(map(str, detail["loc"]))[:120], "problem": detail["type"]}
        for detail in details[:20]
    ]
