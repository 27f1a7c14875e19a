"""A media node alone, and a page that joins browsers to it: no command centre, no database."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from aiohttp import web
from uuid6 import uuid7

from tests.harness import markers
from tests.harness.loop import LoopThread
from tests.harness.processes import PATIENCE_S, Peer, wait_until
from video_bridge import NodeClient
from video_bridge import messages as m

T = TypeVar("T")

PAGE = """<!doctype html><meta charset="utf-8"><title>join</title>
<video id="programme" autoplay playsinline style="width:1280px"></video>
<script>
const query = new URLSearchParams(location.search);
const peer = new RTCPeerConnection({ iceServers: JSON.parse(query.get('ice') || '[]') });
window.peer = peer;
const stream = new MediaStream();
peer.ontrack = (event) => {
  stream.addTrack(event.track);
  document.getElementById('programme').srcObject = stream;
};
async function join() {
  const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  if (query.get('publish') === '1') {
    const own = await navigator.mediaDevices.getUserMedia({
      video: { width: 640, height: 360 }, audio: sound,
    });
    for (const track of own.getTracks()) peer.addTrack(track, own);
    window.own = own;
  } else {
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.addTransceiver('audio', { direction: 'recvonly' });
  }
  if (query.get('codec')) {
    const wanted = RTCRtpReceiver.getCapabilities('video').codecs.filter(
      (codec) => codec.mimeType === 'video/' + query.get('codec'));
    for (const transceiver of peer.getTransceivers()) {
      if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(wanted);
    }
  }
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((done) => {
    if (peer.iceGatheringState === 'complete') done();
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
    peer.onicecandidate = (event) => event.candidate?.type === 'relay' && done();
    setTimeout(done, query.get('ice') ? 20000 : 1500);
  });
  const reply = await fetch('/offer' + location.search, {
    method: 'POST',
    body: peer.localDescription.sdp.replaceAll(
      'profile-level-id=42e01f', 'profile-level-id=42e0' + (query.get('level') || '1f')),
  });
  if (!reply.ok) throw new Error(await reply.text());
  await peer.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
}
window.joined = join().then(() => 'ok', (error) => String(error));
</script>"""


class BareNode:
    """Node process, its client, and a web server at `url`, driven from the test's thread."""

    def __init__(
        self, folder: Path, *, ports: str = "21000-21999", arguments: Sequence[str] = ()
    ) -> None:
        self.events: list[m.Event] = []
        self.conference_id = str(uuid7())
        self.socket_path = socket_path = folder / "node.sock"
        command = [sys.executable, "-m", "video_bridge.node", "--socket", str(socket_path)]
        self.peer = Peer([*command, "--rtp-ports", ports, *arguments], folder / "node.log")
        self._loop = LoopThread()
        self.client = NodeClient(socket_path, self.events.append)
        self.url = self.do(self._start())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the client's loop and wait for it."""
        return self._loop.do(work)

    async def _start(self) -> str:
        await self.client.start()
        await self.client.wait_connected(PATIENCE_S)
        await self.client.send(m.ConferenceOpen(conference_id=self.conference_id, title="联调会商"))
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_post("/offer", self._offer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/"

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _offer(self, request: web.Request) -> web.Response:
        query = request.query
        added = await self.client.add_leg(
            m.LegAdd(
                conference_id=self.conference_id,
                leg_id=query["leg"],
                kind=m.LegKind.WEBRTC,
                name=query["name"],
                publish=query.get("publish") == "1",
                play=query.get("play", "1") == "1",
                offer_sdp=await request.text(),
            )
        )
        return web.Response(text=added.answer_sdp, content_type="application/sdp")

    def page_of(self, name: str, *, leg: str, publish: bool = True, codec: str = "") -> str:
        flag = "1" if publish else "0"
        return f"{self.url}?leg={leg}&name={name}&publish={flag}&codec={codec}"

    def happened(self, type_: type[m.Event], leg_id: str) -> list[m.Event]:
        return [e for e in self.events if isinstance(e, type_) and e.leg_id == leg_id]

    def wait_event(
        self, type_: type[m.Event], leg_id: str, timeout_s: float = PATIENCE_S
    ) -> m.Event:
        found = wait_until(
            lambda: self.happened(type_, leg_id),
            timeout_s,
            lambda: f"no {type_.__name__}: {self.events}\n{self.peer.text()[-3000:]}",
        )
        return found[0]

    def picture(self) -> np.ndarray:
        """The programme, BGR."""
        still = self.do(self.client.picture(self.conference_id, 1280))
        raw = np.frombuffer(base64.b64decode(still.jpeg_base64), np.uint8)
        return cv2.imdecode(raw, cv2.IMREAD_COLOR)

    def shows(self) -> dict[int, tuple[float, float]]:
        return markers.find_markers(self.picture())

    def stats(self) -> m.ConferenceStats:
        return self.do(self.client.stats(self.conference_id)).conferences[0]

    def leg_stats(self, leg_id: str) -> m.LegStats:
        return next(leg for leg in self.stats().legs if leg.leg_id == leg_id)

    def add(self, **fields: Any) -> m.LegAdded:
        return self.do(self.client.add_leg(m.LegAdd(conference_id=self.conference_id, **fields)))

    def send(self, request: m.Request) -> None:
        self.do(self.client.send(request))

    def close(self) -> None:
        async def end() -> None:
            await self._runner.cleanup()
            await self.client.stop()

        self.do(end())
        self._loop.close()
        self.peer.process.terminate()
        self.peer.process.wait(PATIENCE_S)


def eventually(truth: Callable[[], T], timeout_s: float = PATIENCE_S, why: str = "never") -> T:
    return wait_until(truth, timeout_s, lambda: why, step_s=0.3)
