"""The senders of the fan-out benchmark, each in a process of its own: ours, its twin, aiortc's."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from video_bridge.datapath import (
    Fanout,
    FanoutTarget,
    PythonFanout,
    SrtpKeys,
    SrtpProfile,
    create_fanout,
)
from video_bridge.payload import h264

from .machine import Usage, usage
from .network import FAR, NEAR, serve

FPS = 25
# one slice of 7,141 bytes: 1.43 Mbit/s before headers, 6 packets a frame, 150 a second
PAYLOADS = h264.packetise(h264.join_annexb([b"\x65" + (bytes(range(1, 239)) * 30)]))


@dataclass(frozen=True, slots=True)
class Task:
    suite: str
    ports: list[int]
    keys: list[tuple[str, str]]  # key and salt of each receiver, hexadecimal

    def keys_of(self, index: int) -> SrtpKeys:
        key, salt = self.keys[index]
        return SrtpKeys(SrtpProfile.from_suite(self.suite), bytes.fromhex(key), bytes.fromhex(salt))


def _result(sent: int, used: Usage, datapath: str) -> dict[str, object]:
    return {
        "sent": sent,
        "cpu_s": used.run_s,
        "cpu_wait_pct": used.wait_pct,
        "datapath": datapath,
    }


class OursSender:
    """The fan-out of the media node at 25 frames a second."""

    def __init__(self, task: Task, fanout: Fanout) -> None:
        self._fanout = fanout
        self._targets = []
        for index, port in enumerate(task.ports):
            source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            source.bind((NEAR, 0))  # a WebRTC leg has a socket of its own
            target = FanoutTarget(
                source.fileno(), (FAR, port), 1000 + index, 96, 0, 0, task.keys_of(index)
            )
            self._targets.append(target)
            source.close()
        self._frame = 0

    def send(self, seconds: float) -> dict[str, object]:
        before, sent = usage(), 0
        start = time.monotonic()
        for number in range(round(seconds * FPS)):
            time.sleep(max(0.0, start + number / FPS - time.monotonic()))
            sent += self._fanout.send(self._targets, PAYLOADS, self._frame * 3600).sent
            self._frame += 1
        return _result(sent, usage() - before, self._fanout.datapath)


class AiortcSender:
    """aiortc's own RTCRtpSender, RTCDtlsTransport and aioice connection, one per receiver.

    Only the handshakes are left out: keys and addresses are set as they would be after them. Each
    sender's encoder is replaced by one that hands out the ready payloads, so that encoding and
    packetising cost it nothing here.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._loop = asyncio.new_event_loop()
        self._sending = False
        self._sent = 0
        self._loop.run_until_complete(self._open())

    async def _open(self) -> None:
        import av
        import pylibsrtp
        from aioice import Candidate
        from aiortc import MediaStreamTrack, RTCRtpSender
        from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport, State
        from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
        from aiortc.rtcrtpparameters import (
            RTCRtcpParameters,
            RTCRtpCodecParameters,
            RTCRtpSendParameters,
        )

        from video_bridge.datapath.srtp import _PROFILES

        owner = self

        class Track(MediaStreamTrack):
            kind = "video"

            def __init__(self) -> None:
                super().__init__()
                self._number = 0
                self._start: float | None = None

            async def recv(self) -> Any:
                while not owner._sending:
                    self._start = None
                    await asyncio.sleep(0.01)
                if self._start is None:
                    self._start, self._number = time.monotonic(), 0
                wait = self._start + self._number / FPS - time.monotonic()
                self._number += 1
                await asyncio.sleep(max(0.0, wait))
                packet: Any = av.Packet(b"")
                packet.pts, packet.time_base = self._number * 3600, Fraction(1, 90_000)
                return packet

        class ReadyPayloads:
            def pack(self, packet: Any) -> tuple[list[bytes], int]:
                owner._sent += len(PAYLOADS)
                return PAYLOADS, packet.pts or 0

        certificate = RTCCertificate.generateCertificate()
        codec = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90_000, payloadType=96)
        self._kept: list[object] = []
        for index, port in enumerate(self._task.ports):
            gatherer = RTCIceGatherer(iceServers=[])
            await gatherer.gather()
            ice = RTCIceTransport(gatherer)
            connection = gatherer._connection
            remote = Candidate("f", 1, "udp", 1, FAR, port, "host")
            await connection.add_remote_candidate(remote)
            local = next(c for c in connection.local_candidates if c.host == NEAR)
            connection.set_selected_pair(1, local.foundation, remote.foundation)
            keys = self._task.keys_of(index)
            dtls = RTCDtlsTransport(ice, [certificate])
            policy = pylibsrtp.Policy(
                key=keys.master_key + keys.master_salt,
                ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
                srtp_profile=_PROFILES[keys.profile],
            )
            policy.allow_repeat_tx = True
            policy.window_size = 1024
            dtls._tx_srtp = pylibsrtp.Session(policy)
            dtls._set_state(State.CONNECTED)
            sender = RTCRtpSender(Track(), dtls)
            setattr(sender, "_RTCRtpSender__encoder", ReadyPayloads())  # noqa: B010
            await sender.send(
                RTCRtpSendParameters(
                    codecs=[codec], rtcp=RTCRtcpParameters(cname="benchmark"), muxId="0"
                )
            )
            self._kept += [sender, dtls, ice, gatherer]

    def send(self, seconds: float) -> dict[str, object]:
        return self._loop.run_until_complete(self._send(seconds))

    async def _send(self, seconds: float) -> dict[str, object]:
        self._sent = 0
        before = usage()
        self._sending = True
        await asyncio.sleep(seconds)
        self._sending = False
        await asyncio.sleep(0.1)  # the last frames leave
        return _result(self._sent, usage() - before, "aiortc")


class SourceSender:
    """One plain RTP stream, as the camera or encoder that feeds Janus."""

    def __init__(self, port: int) -> None:
        self._source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._target = FanoutTarget(self._source.fileno(), (NEAR, port), 7, 96)
        self._fanout = PythonFanout()

    def send(self, seconds: float) -> dict[str, object]:
        start, sent = time.monotonic(), 0
        for number in range(round(seconds * FPS)):
            time.sleep(max(0.0, start + number / FPS - time.monotonic()))
            sent += self._fanout.send([self._target], PAYLOADS, number * 3600).sent
        return {"sent": sent}


def main(kind: str) -> None:
    sender: OursSender | AiortcSender | SourceSender | None = None

    def answer(words: dict[str, object]) -> dict[str, object]:
        nonlocal sender
        if words["do"] == "open":
            words.pop("do")
            if kind == "source":
                sender = SourceSender(int(str(words["port"])))
            else:
                task = Task(**words)  # type: ignore[arg-type]
                if kind == "aiortc":
                    sender = AiortcSender(task)
                else:
                    sender = OursSender(task, create_fanout() if kind == "ours" else PythonFanout())
            return {"pid": os.getpid()}
        if sender is None:
            raise RuntimeError(json.dumps(words))
        return sender.send(float(str(words["seconds"])))

    serve(answer)


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)  # aiortc's fifty tasks need no farewell
