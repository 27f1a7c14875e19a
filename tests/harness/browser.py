"""A phone or an operator: headless Chromium with a marker for a camera and a tone for a voice."""

from __future__ import annotations

import base64
import os
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import BrowserContext, Page, Playwright

from . import markers, tones

_ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
]

# A tone must reach the wire as it is: no echo cancellation, noise suppression or gain control.
_RAW_SOUND = """
if (navigator.mediaDevices) {
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => original({
    ...wanted,
    audio: wanted.audio && {
      echoCancellation: false, noiseSuppression: false, autoGainControl: false,
    },
  });
}
"""

# Sound of every playing element that has a stream, as 16-bit samples.
_LISTEN = """
async (seconds) => {
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const sink = context.createScriptProcessor(4096, 1, 1);
  for (const element of document.querySelectorAll('video, audio')) {
    const stream = element.srcObject;
    if (!stream || element.muted || !stream.getAudioTracks().length) continue;
    context.createMediaStreamSource(stream).connect(sink);
  }
  const blocks = [];
  sink.onaudioprocess = (event) => blocks.push(event.inputBuffer.getChannelData(0).slice());
  sink.connect(context.destination);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  await context.close();
  const samples = new Int16Array(blocks.length * 4096);
  blocks.forEach((block, n) => block.forEach((value, i) => {
    samples[n * 4096 + i] = Math.max(-1, Math.min(1, value)) * 32767;
  }));
  let text = '';
  const bytes = new Uint8Array(samples.buffer);
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return btoa(text);
}
"""

_FRAME = """
(selector) => {
  const video = document.querySelector(selector);
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}
"""

_FRAMES = """
(selector) => document.querySelector(selector)?.getVideoPlaybackQuality().totalVideoFrames ?? 0
"""


class Browser:
    """One Chromium process: fake devices belong to the process."""

    def __init__(
        self,
        playwright: Playwright,
        folder: Path,
        *,
        marker: int | None = None,
        tone_hz: float = 440.0,
        width: int = 1440,
        height: int = 900,
        arguments: list[str] | None = None,
        **context: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        extra = list(arguments or [])
        if marker is not None:
            clip = markers.write_y4m(folder / "camera.y4m", marker)
            wav = tones.write_wav(folder / "voice.wav", tone_hz, 48000)
            extra.append(f"--use-file-for-fake-video-capture={clip}")
            extra.append(f"--use-file-for-fake-audio-capture={wav}")
        self.context: BrowserContext = playwright.chromium.launch_persistent_context(
            str(folder / "profile"),
            executable_path="/usr/bin/chromium",
            headless=True,
            args=[*_ARGUMENTS, *extra],
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            permissions=["camera", "microphone"],
            ignore_https_errors=True,
            **context,
        )
        self.context.add_init_script(_RAW_SOUND)
        self.page: Page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self.console: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(f"PAGE ERROR {error}"))
        self._profile = str(folder / "profile")

    def picture(self, selector: str = "video") -> np.ndarray | None:
        """The picture that the element shows now, BGR, or None when it shows none."""
        png = self.page.evaluate(_FRAME, selector)
        if png is None:
            return None
        return cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_COLOR)

    def seen(self, selector: str = "video") -> dict[int, tuple[float, float]]:
        picture = self.picture(selector)
        return {} if picture is None else markers.find_markers(picture)

    def heard(self, frequencies: list[float], seconds: float = 3.0) -> set[float]:
        """Which tones are in the sound that the page plays during the next seconds."""
        raw = base64.b64decode(self.page.evaluate(_LISTEN, seconds))
        return tones.heard(np.frombuffer(raw, np.int16), 48000, frequencies)

    def frames(self, selector: str = "video") -> int:
        """Frames decoded so far by the element."""
        return int(self.page.evaluate(_FRAMES, selector))

    def kill(self) -> None:
        """kill -9 of the whole browser: no goodbye of any kind."""
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if self._profile in line and "chrom" in line.split("\0")[0]:
                os.kill(int(process.name), signal.SIGKILL)

    def close(self) -> None:
        self.context.close()
