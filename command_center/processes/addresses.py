"""Which addresses this machine has: for certificates, banners and join links."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import socket
import struct

_SIOCGIFCONF = 0x8912
_REQUEST_BYTES = 40  # sizeof(struct ifreq) on 64-bit Linux


def local_ipv4_addresses() -> list[str]:
    """IPv4 addresses of the interfaces that are up, loopback excluded (SIOCGIFCONF)."""
    room = 128 * _REQUEST_BYTES
    buffer = array.array("B", bytes(room))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("iL", room, buffer.buffer_info()[0])
        used = struct.unpack("iL", fcntl.ioctl(sock.fileno(), _SIOCGIFCONF, request))[0]
    found = []
    for at in range(0, used, _REQUEST_BYTES):
        address = socket.inet_ntoa(buffer[at + 20 : at + 24].tobytes())
        if not ipaddress.ip_address(address).is_loopback:
            found.append(address)
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reachable_host(listen_host: str) -> str:
    """The address others use for something that listens on `listen_host`."""
    if listen_host not in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return listen_host
    return next(iter(local_ipv4_addresses()), "127.0.0.1")
