"""H.323 cores: bytes in, bytes and events out; no socket, no clock.

Built so far: TPKT, Q.931, H.225.0 calls and H.245 with H.239 tokens. Not built yet: RAS, fast
start, H.243, H.460, H.235 and the gateway's sockets, so no H.323 room can join in this release.
"""

__all__: tuple[str, ...] = ()
