"""A network camera: serves a marker picture and a keyed tone at rtsp://ADDRESS:PORT/camera.

Run by the system's Python, which has GStreamer's bindings: camera_server.py PORT PNG TONE_HZ.
Imports nothing of the project. Prints READY when it listens.
"""

import math
import struct
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

RATE, BLOCK = 8000, 400  # 50 ms


class Camera(GstRtspServer.RTSPMediaFactory):
    def __init__(self, picture: str, tone: float) -> None:
        super().__init__()
        self.tone = tone
        self.set_shared(True)
        self.set_launch(
            f"( multifilesrc location={picture} caps=image/png,framerate=25/1 ! pngdec "
            "! videoconvert ! video/x-raw,format=I420 "
            "! x264enc tune=zerolatency speed-preset=ultrafast bitrate=1500 key-int-max=25 "
            "! video/x-h264,profile=baseline ! rtph264pay name=pay0 pt=96 config-interval=1 "
            "appsrc name=sound is-live=true format=time do-timestamp=false "
            f"caps=audio/x-raw,format=S16LE,rate={RATE},channels=1,layout=interleaved "
            "! alawenc ! rtppcmapay name=pay1 pt=8 )"
        )

    def do_configure(self, media) -> None:
        self.block = 0
        source = media.get_element().get_child_by_name("sound")
        source.connect("need-data", self.feed)

    def feed(self, source, _length) -> None:
        first = self.block * BLOCK
        samples = []
        for n in range(first, first + BLOCK):
            on = (n / RATE) % 0.5 < 0.3
            samples.append(int(13000 * math.sin(2 * math.pi * self.tone * n / RATE)) if on else 0)
        buffer = Gst.Buffer.new_wrapped(struct.pack(f"<{BLOCK}h", *samples))
        buffer.pts = first * Gst.SECOND // RATE
        buffer.duration = BLOCK * Gst.SECOND // RATE
        source.emit("push-buffer", buffer)
        self.block += 1


GstRtspServer.RTSPMediaFactory.do_configure = lambda self, media: None
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_service(sys.argv[1])
server.get_mount_points().add_factory("/camera", Camera(sys.argv[2], float(sys.argv[3])))
server.attach(None)
print("READY", flush=True)
GLib.MainLoop().run()
