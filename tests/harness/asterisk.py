"""Asterisk with chan_ooh323 as an H.323 room: sound only, another maker's stack.

Bookworm has no chan_ooh323, so a bullseye system is made once in a folder of the user's cache and
Asterisk runs chrooted there, in the test's own network namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
ROOT = _CACHE / "command-center" / "asterisk-bullseye"
READY = ROOT / ".ready"
TRIES = 2  # a mirror may stumble
MODULES = (
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjproject",
    "res_rtp_asterisk", "pbx_config", "pbx_spool", "codec_alaw", "codec_ulaw", "format_wav",
    "app_playtones", "app_mixmonitor", "app_senddtmf", "chan_ooh323",
)  # fmt: skip


def prepare() -> None:
    """Make the chroot: about a minute and 500 MB, once. Needs root and debootstrap."""
    if READY.exists() or os.geteuid() != 0 or shutil.which("debootstrap") is None:
        return
    print("preparing Asterisk with chan_ooh323 (bullseye), about a minute", flush=True)
    ROOT.parent.mkdir(parents=True, exist_ok=True)
    if any(_made() for _ in range(TRIES)):
        READY.touch()


def _made() -> bool:
    """One try; the end of what failed is printed."""
    shutil.rmtree(ROOT, ignore_errors=True)
    steps = (
        ["debootstrap", "--variant=minbase", "bullseye", str(ROOT)],
        ["chroot", str(ROOT), "apt-get", "install", "-y", "--no-install-recommends", "asterisk",
         "asterisk-ooh323"],
    )  # fmt: skip
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in steps:
        done = subprocess.run(
            step, check=False, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode != 0:
            print(done.stdout.decode(errors="replace")[-2000:], flush=True)
            return False
    return True


class Asterisk:
    """Runs until `close`. Number N answered sounds N hertz, keyed, and records what it hears.

    It drops calls that leave the first number of `round_trip` of its requests unanswered, one of
    which it makes each time as many seconds as the second says.
    """

    def __init__(
        self,
        *,
        host: str,
        bridge: tuple[str, int],
        fast_start: bool = True,
        tunnelling: bool = True,
        gatekeeper: str = "DISABLE",
        number: str = "100",
        round_trip: str = "2,1",
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="asterisk-", dir=ROOT / "tmp"))
        inside = f"/tmp/{self._folder.name}"
        for name in ("etc", "run", "db", "lib", "log", "spool/outgoing", "spool/tmp", "heard"):
            (self._folder / name).mkdir(parents=True)
        for name in ("rtp", "indications", "pjproject", "sorcery"):
            (self._folder / "etc" / f"{name}.conf").touch()
        self._write("modules", ["[modules]", "autoload=no", *(f"load={m}.so" for m in MODULES)])
        self._write("logger", ["[logfiles]", "console => notice,warning,error,verbose,dtmf"])
        self._write("asterisk", [
            "[directories]", f"astetcdir => {inside}/etc", f"astdbdir => {inside}/db",
            "astmoddir => /usr/lib/asterisk/modules", "astvarlibdir => /usr/share/asterisk",
            "astdatadir => /usr/share/asterisk", f"astkeydir => {inside}/lib",
            f"astagidir => {inside}/lib", f"astspooldir => {inside}/spool",
            f"astrundir => {inside}/run", f"astlogdir => {inside}/log",
        ])  # fmt: skip
        self._write("extensions", [
            "[default]", "exten => _X.,1,Answer()",
            f" same => n,MixMonitor({inside}/heard/${{EXTEN}}.mix.wav,"
            f"r({inside}/heard/${{EXTEN}}.wav))",
            " same => n,Playtones(${EXTEN}/300,0/200)", " same => n,Wait(4)",
            *[" same => n,SendDTMF(7)", " same => n,Wait(20)"] * 5,  # H.245 may stand later
            " same => n,Wait(3600)",
        ])  # fmt: skip
        switch = {True: "yes", False: "no"}
        self._write("ooh323", [
            "[general]", f"bindaddr={host}", "port=1720", "h323id=asterisk", f"e164={number}",
            f"gatekeeper={gatekeeper}", "context=default", f"faststart={switch[fast_start]}",
            f"h245tunneling={switch[tunnelling]}", "disallow=all", "allow=alaw",
            f"roundtrip={round_trip}", "dtmfmode=h245signal",
            f"logfile={inside}/log/h323", "tracelevel=6",
            "[bridge]", "type=friend", f"ip={bridge[0]}", f"port={bridge[1]}", "context=default",
            "disallow=all", "allow=alaw",
        ])  # fmt: skip
        self._log = (self._folder / "console").open("wb")
        self._process = subprocess.Popen(
            ["chroot", str(ROOT), "asterisk", "-C", f"{inside}/etc/asterisk.conf", "-f", "-vvv"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait_ready()

    def _write(self, name: str, lines: list[str]) -> None:
        (self._folder / "etc" / f"{name}.conf").write_text("\n".join(lines) + "\n")

    def _wait_ready(self) -> None:
        until = time.monotonic() + 30
        while "Asterisk Ready" not in self.console():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"Asterisk did not start:\n{self.console()[-3000:]}")
            time.sleep(0.1)

    def console(self) -> str:
        return (self._folder / "console").read_text(errors="replace")

    def call(self, number: str, hertz: int, *, through: str = "@bridge") -> None:
        """Dial the bridge, with `through` empty by its gatekeeper; once answered, sound `hertz`."""
        lines = [f"Channel: OOH323/{number}{through}", "Context: default",
                 f"Extension: {hertz}", "Priority: 1", "WaitTime: 30"]  # fmt: skip
        made = self._folder / "spool" / "tmp" / f"{hertz}.call"
        made.write_text("\n".join(lines) + "\n")
        made.rename(self._folder / "spool" / "outgoing" / made.name)

    def heard(self, hertz: int) -> Path:
        """The recording of the call that sounds `hertz`."""
        return self._folder / "heard" / f"{hertz}.wav"

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        if not os.environ.get("KEEP_PEER_FILES"):
            shutil.rmtree(self._folder, ignore_errors=True)
