"""A hall: baresip, the room system of the tests, with a marker picture and a keyed tone.

What it heard are its sndfile dumps; what it saw is its video snapshot.
"""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import cv2

from . import markers, tones
from .processes import Peer, wait_until

_CONFIG = """\
poll_method epoll
sip_listen 0.0.0.0:{port}
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,nil
audio_source aufile,{wav}
audio_alert aubridge,nil
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_channels 1-2
audio_txmode thread
video_source avformat,{clip}
video_display fakevideo,nil
video_size {size}
video_bitrate 800000
video_fps 25
video_fullscreen no
rtp_tos 184
rtp_ports 30000-30999
rtcp_mux {mux}
jitter_buffer_type fixed
jitter_buffer_delay 2-10
rtp_stats yes
module_path /usr/lib/baresip/modules
{modules}
module_tmp account.so
module_app menu.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
avcodec_h264enc libx264
"""


class Baresip:
    """`account` is baresip's account line without the display name, e.g.
    '<sip:440229@10.9.9.9>;auth_pass=secret;audio_codecs=PCMA;video_codecs=H264'.
    """

    def __init__(
        self,
        folder: Path,
        account: str,
        *,
        marker: int,
        tone_hz: float,
        rate: int = 8000,
        port: int = 5070,
        control: int = 4444,
        prefix: tuple[str, ...] = (),
        codecs: tuple[str, ...] = ("g711", "g722", "opus", "avcodec", "vp8"),
        rtcp_mux: bool = False,
        tone_s: float = 600.0,  # its end ends the call
    ) -> None:
        self.folder, self._control = folder, control
        folder.mkdir(parents=True, exist_ok=True)
        wav = tones.write_wav(folder / "tone.wav", tone_hz, rate, tone_s)
        clip = markers.write_mp4(folder / "clip.mp4", marker)
        names = (*codecs, "avformat", "fakevideo", "swscale", "snapshot", "sndfile", "aubridge")
        modules = "\n".join(f"module {name}.so" for name in (*names, "aufile", "srtp", "dtls_srtp"))
        (folder / "config").write_text(
            _CONFIG.format(
                port=port,
                wav=wav,
                size="352x288" if "H263" in account else "640x360",  # H.263 knows no other
                rate=rate,
                mux="yes" if rtcp_mux else "no",
                clip=clip,
                modules=modules,
                control=control,
                folder=folder,
            )
        )
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").write_text("")
        command = [*prefix, "baresip", "-f", str(folder), "-v", "-s"]
        self.peer = Peer(command, folder / "baresip.log")
        self.peer.wait_for("baresip is ready", 20)

    def command(self, name: str, params: str = "") -> str:
        """Send one ctrl_tcp command (netstring JSON) and return baresip's answer."""
        request = json.dumps({"command": name, "params": params, "token": "t"}).encode()
        with socket.create_connection(("127.0.0.1", self._control), 5) as control:
            control.sendall(b"%d:%s," % (len(request), request))
            received = b""
            end = time.monotonic() + 5
            while time.monotonic() < end:
                received += control.recv(65536)
                if b'"response":true' in received and received.endswith(b","):
                    break
        return received.decode(errors="replace")

    def dial(self, uri: str) -> None:
        self.command("dial", uri)

    def hang_up(self) -> None:
        self.command("hangup")

    def mute(self) -> None:
        """Switch the microphone off, or on again."""
        self.command("mute")

    def accept(self) -> None:
        self.command("accept")

    def seen(self, timeout_s: float = 15.0) -> dict[int, tuple[float, float]]:
        """The markers in the picture it receives now, with their places."""
        target = self.folder / f"seen-{time.monotonic_ns()}.png"
        self.command("snapshot_recv", str(target))

        def picture() -> bool:
            return target.exists() and cv2.imread(str(target)) is not None

        wait_until(picture, timeout_s, lambda: f"no picture\n{self.peer.text()[-2500:]}")
        return markers.find_markers(cv2.imread(str(target)))

    def heard(self, frequencies: list[float], last_s: float = 3.0) -> set[float]:
        """Which tones are in the last seconds of the sound it received."""
        dumps = sorted(self.folder.glob("dump-*-dec.wav"), key=lambda p: p.stat().st_mtime)
        if not dumps:
            return set()
        samples, rate = tones.read_wav(dumps[-1])
        return tones.heard(samples[-int(rate * last_s) :], rate, frequencies)

    def close(self) -> None:
        if self.peer.process.poll() is None:
            self.peer.kill()
