"""`python -m video_bridge.node`: one media node."""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import logging
import re
import signal
import sys
from pathlib import Path
from typing import Any

from ..errors import LocalMediaError, VideoBridgeError
from ..messages import CloseReason
from ..transports.dscp import Marking, parse_dscp
from ..video.fonts import find_font
from ..wire import WireServer
from .control import watch_control
from .process import die_with_parent, log_to_stderr, raise_open_files
from .service import NodeOptions, NodeService

log = logging.getLogger(__name__)


def _port_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if match is None or not 1024 <= int(match[1]) < int(match[2]) <= 65535:
        raise argparse.ArgumentTypeError("FIRST-LAST, 1024 to 65535")
    return int(match[1]), int(match[2])


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("an IPv4 or IPv6 address") from None


def _dscp(text: str) -> int | None:
    try:
        return parse_dscp(text)
    except LocalMediaError:
        raise argparse.ArgumentTypeError("EF, AFxy, CSx, 0 to 63, or off") from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m video_bridge.node", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="control wire (Unix socket)")
    parser.add_argument("--node-id", default="node-1")
    parser.add_argument("--rtp-ports", type=_port_range, default=(20000, 23999))
    parser.add_argument("--media-address", type=_address, help="address to advertise (1:1 NAT)")
    for media, default in (("audio", "EF"), ("video", "AF41")):
        parser.add_argument(
            f"--dscp-{media}",
            type=_dscp,
            default=default,
            help="EF, AF11 to AF43, CS0 to CS7, 0 to 63, or off",
        )
    parser.add_argument(
        "--capacity", type=float, help="at most so many ms of a reference core each second"
    )
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning"])
    return parser.parse_args()


def _rest_the_collector() -> None:
    """What is loaded now stays; a full collection among 144 legs costs a picture's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def serve(options: NodeOptions, path: Path) -> None:
    """Serve until SIGTERM or SIGINT; then every leg ends with NODE_STOPPED."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stopping.set)

    def emit(type_: str, body: dict[str, Any]) -> None:
        server.broadcast(type_, body)

    service = NodeService(options, emit)
    server = WireServer(path, service.answer, service.hello)
    await server.start()
    watch = asyncio.create_task(
        watch_control(
            lambda: server.client_count, lambda: service.end_legs(CloseReason.CONTROL_LOST)
        )
    )
    _rest_the_collector()
    log.info("serving %s, RTP %d-%d", path, options.first_port, options.last_port)
    await stopping.wait()
    log.info("stopping")
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    await service.stop()
    await asyncio.sleep(0.05)  # the last events leave
    await server.stop()


def main() -> int:
    """Exit status: 0 after a graceful stop, 1 when the node cannot start."""
    arguments = _arguments()
    log_to_stderr(arguments.log_level, arguments.node_id)
    die_with_parent()
    raise_open_files()
    first, last = arguments.rtp_ports
    try:
        find_font()
        options = NodeOptions(
            arguments.node_id,
            first,
            last,
            arguments.media_address,
            arguments.capacity,
            Marking(arguments.dscp_audio, arguments.dscp_video),
        )
        asyncio.run(serve(options, arguments.socket))
    except (VideoBridgeError, OSError) as error:
        log.critical("cannot serve: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
