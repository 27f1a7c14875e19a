"""A screen for a Chromium that has none: its shared page is a marker."""

from __future__ import annotations

import base64

import cv2

from tests.harness import markers

SLIDE = 21
# A Chromium without a screen captures a pattern of its own; frames of our marker stand in for it.
# All else is the page's own way: token, track, line, token taken back.
_SCREEN = """
if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  const slide = new Image();
  slide.src = 'data:image/png;base64,%s';
  await slide.decode();
  const canvas = new OffscreenCanvas(1280, 720);
  canvas.getContext('2d').drawImage(slide, 0, 0);
  const track = new MediaStreamTrackGenerator({ kind: 'video' });
  const writer = track.writable.getWriter();
  setInterval(() => {
    writer.write(new VideoFrame(canvas, { timestamp: performance.now() * 1000 })).catch(() => 0);
  }, 100);
  return new MediaStream([track]);
};
"""


def shared_screen() -> str:
    """The script that a page runs first, so that what it shares is the marker SLIDE."""
    _, png = cv2.imencode(".png", markers.marker_picture(SLIDE, 1280, 720))
    return _SCREEN % base64.b64encode(png.tobytes()).decode()
