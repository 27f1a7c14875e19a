"""H.323 cores: bytes in, bytes and events out; no socket, no clock.

Built so far: TPKT framing, Q.931 elements and the H.225.0/H.245 codec. Calls are not built yet.
"""

__all__: tuple[str, ...] = ()
