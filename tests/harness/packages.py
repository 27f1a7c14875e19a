"""The Debian packages that peer tests need, and how each is recognised.

`python -m tests.harness.packages` checks them: exit 0 when all are there, else it prints one list
of what is missing with the apt line and exits 3. `--install` installs them first where it may
(root). Names in the environment variable WITHOUT (comma separated) are left out of both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import asterisk

# peer name -> (Debian packages, proof that it is there: a program on the path or a file)
PEERS: dict[str, tuple[tuple[str, ...], str]] = {
    "namespace": (("iproute2", "iptables"), "ip"),
    "chromium": (("chromium",), "chromium"),
    "baresip": (("baresip-core", "baresip-ffmpeg"), "baresip"),
    "linphone": (("linphone-cli",), "linphonec"),
    "sipp": (("sip-tester",), "sipp"),
    "ffmpeg": (("ffmpeg",), "ffmpeg"),
    "camera": (
        (
            "gstreamer1.0-rtsp",
            "gir1.2-gst-rtsp-server-1.0",
            "gstreamer1.0-plugins-ugly",
            "gstreamer1.0-plugins-good",
            "python3-gi",
        ),
        "/usr/lib/python3/dist-packages/gi/__init__.py",
    ),
    "libre": (("libre-dev", "gcc", "libc6-dev"), "/usr/include/re/re_bfcp.h"),
    "kamailio": (("kamailio", "kamailio-tls-modules"), "kamailio"),
    "coturn": (("coturn",), "turnserver"),
    "janus": (("janus",), "janus"),
    "tshark": (("tshark",), "tshark"),
    "asterisk": (("debootstrap",), str(asterisk.READY)),  # made by `asterisk.prepare`
    "fonts": (("fonts-noto-cjk",), "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
}
EXIT_MISSING = 3


def left_out() -> set[str]:
    """Peers that the person running the tests chose to do without."""
    return {name for name in os.environ.get("WITHOUT", "").replace(" ", "").split(",") if name}


def is_present(peer: str) -> bool:
    proof = PEERS[peer][1]
    return Path(proof).exists() if proof.startswith("/") else shutil.which(proof) is not None


def missing() -> dict[str, tuple[str, ...]]:
    """Peer -> packages to install, for every peer that is neither here nor left out."""
    return {
        name: packages
        for name, (packages, _proof) in PEERS.items()
        if name not in left_out() and not is_present(name)
    }


def apt_line(packages: list[str]) -> str:
    return "apt-get install -y --no-install-recommends " + " ".join(packages)


def install() -> None:
    packages = [package for names in missing().values() for package in names]
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print(f"installing Debian packages: {' '.join(packages)}", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], check=False, env=env, stdout=subprocess.DEVNULL)
    subprocess.run([*apt_line(packages).split()], check=False, env=env, stdout=subprocess.DEVNULL)
    if "asterisk" in missing():
        asterisk.prepare()


def main() -> int:
    unknown = left_out() - PEERS.keys()
    if unknown:
        print(f"WITHOUT names unknown peers: {', '.join(sorted(unknown))}")
        print(f"known: {', '.join(PEERS)}")
        return 2
    if "--install" in sys.argv:
        install()
    gone = missing()
    if not gone:
        return 0
    print("These peers of the test suite are missing on this machine:")
    for name, packages in gone.items():
        print(f"  {name:10} {' '.join(packages)}")
    print("Install them:\n  " + apt_line([p for names in gone.values() for p in names]))
    print(f"or leave them out, which is not a pass:\n  make test WITHOUT={','.join(gone)}")
    return EXIT_MISSING


if __name__ == "__main__":
    sys.exit(main())
