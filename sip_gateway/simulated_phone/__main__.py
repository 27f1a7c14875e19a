"""Register, dial a number, play a WAV file, keep what is heard, hang up.

Prints a word a line as it happens: `registered`, `answered`, `ended`. Ends with 1 and a sentence on
stderr when the registrar or the number does not answer in time, or the sound cannot be used.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BLOCK = 160  # 20 ms of unsigned 8-bit sound at 8 kHz, the only kind that pyVoIP knows
BLOCK_S = 0.02
SILENCE = b"\x80" * BLOCK
PATIENCE_S = 30.0
EXTRA = "缺少可选组件 / the optional extra is missing: pip install 'command-center[pyvoip]'"


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sip_gateway.simulated_phone")
    parser.add_argument("--server", required=True, help="the registrar's address")
    parser.add_argument("--port", type=int, default=5060)
    parser.add_argument("--own-address", required=True, help="where the registrar reaches it")
    parser.add_argument("--own-port", type=int, default=5070)
    parser.add_argument("--rtp-port", type=int, default=41000, help="this one and 20 above it")
    parser.add_argument("--account", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--number", required=True, help="what it dials")
    parser.add_argument("--play", type=Path, help="WAV, mono, 8 kHz, 16 bits; else silence")
    parser.add_argument("--heard", type=Path, help="a WAV file for what it hears")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the call")
    return parser.parse_args()


def blocks_of(path: Path | None) -> Iterator[bytes]:
    """The sound without end, in blocks of 20 ms. Exits when the file is of another kind."""
    if path is None:
        return itertools.repeat(SILENCE)
    with wave.open(str(path), "rb") as sound:
        if (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) != (1, 8000, 2):
            raise SystemExit(f"需要单声道 8 kHz 16 位 WAV / not mono, 8 kHz and 16 bits: {path}")
        samples = sound.readframes(sound.getnframes())
    eight = bytes((high + 128) & 0xFF for high in samples[1::2])
    return itertools.cycle(eight[at : at + BLOCK] for at in range(0, len(eight) - BLOCK, BLOCK))


def wait(condition: Callable[[], bool], words: str) -> None:
    """pyVoIP has threads and no events. Exits with `words` when the time is over."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(words)
        time.sleep(0.05)


def say(word: str) -> None:
    print(word, flush=True)  # noqa: T201 - read by who started this process


def talk(call: Any, is_up: Callable[[], bool], given: argparse.Namespace) -> None:
    """20 ms out and 20 ms in, by the clock, until the call or its time is over."""
    sound, heard = blocks_of(given.play), bytearray()
    began = time.monotonic()
    for turn in range(round(given.seconds / BLOCK_S)):
        if not is_up():
            break
        call.write_audio(next(sound))
        heard += call.read_audio(BLOCK, blocking=False)
        time.sleep(max(0.0, began + (turn + 1) * BLOCK_S - time.monotonic()))
    if given.heard is not None:
        with wave.open(str(given.heard), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(octet for one in heard for octet in (0, (one - 128) & 0xFF)))


def main() -> None:
    given = read_arguments()
    try:
        from pyVoIP.VoIP import CallState, PhoneStatus, VoIPPhone
    except ImportError as error:
        raise SystemExit(EXTRA) from error
    phone = VoIPPhone(
        given.server,
        given.port,
        given.account,
        given.password_file.read_text().strip(),
        myIP=given.own_address,
        sipPort=given.own_port,
        rtpPortLow=given.rtp_port,
        rtpPortHigh=given.rtp_port + 20,
    )
    phone.start()
    try:
        wait(
            lambda: phone.get_status() is PhoneStatus.REGISTERED,
            "注册服务器没有应答 / the registrar does not answer",
        )
        say("registered")
        call = phone.call(given.number)
        wait(
            lambda: call.state is not CallState.DIALING,
            "对方没有应答；它的地址须受信任 / no answer; its address must be a trusted one",
        )
        if call.state is not CallState.ANSWERED:
            raise SystemExit("对方拒绝 / the number refuses")
        say("answered")
        talk(call, lambda: call.state is CallState.ANSWERED, given)
        if call.state is CallState.ANSWERED:
            call.hangup()
        say("ended")
    finally:
        phone.stop()


if __name__ == "__main__":
    code: int = 0
    try:
        main()
    except SystemExit as ending:
        if isinstance(ending.code, str):
            sys.stderr.write(ending.code + "\n")
        code = 1 if ending.code else 0
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)  # pyVoIP leaves threads that never end
