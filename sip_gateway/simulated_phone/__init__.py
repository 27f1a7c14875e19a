"""A simulated telephone for drills and tests: `python -m sip_gateway.simulated_phone --help`.

pyVoIP 1.6.8 (the optional extra `pyvoip`, GPL-3.0) in a process of its own that nothing imports. It
is an old telephone and no more: UDP, G.711, one call, sound alone. It registers by MD5 digest, but
repeats a challenged INVITE under the same branch, which RFC 3261 17.2.3 makes a retransmission: it
calls only where its address is trusted and nobody challenges it. It sends no keys, has no picture,
TLS, SRTP or re-INVITE, refuses callers that send an empty `Supported`, and reads few of the legal
SIP messages there are; Python 3.13 removed the module `audioop` that it needs.
"""
