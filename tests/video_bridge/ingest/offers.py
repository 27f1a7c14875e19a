"""Offers as Chromium writes them, shortened to what the parser reads."""

FINGERPRINT = ":".join(["AB"] * 32)


def offer(
    *,
    direction: str = "sendrecv",
    video: str = "96 102 104 106",
    audio: str = "111 9 0 8 126",
    setup: str = "actpass",
    extra: str = "",
) -> str:
    lines = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF {audio}
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1467250027 1 udp 2122260223 10.9.9.9 40001 typ host generation 0 network-id 1
a=candidate:1467250028 1 udp 2122260222 0a1b2c3d-0000.local 40001 typ host generation 0
a=candidate:1467250029 1 tcp 1518280447 10.9.9.9 9 typ host tcptype active generation 0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8gAb
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:{setup}
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a={direction}
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:126 telephone-event/48000
m=video 9 UDP/TLS/RTP/SAVPF {video}
c=IN IP4 0.0.0.0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8gAb
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:{setup}
a=mid:1
a={direction}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:102 H264/90000
a=rtcp-fb:102 goog-remb
a=rtcp-fb:102 transport-cc
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 H264/90000
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f
a=rtpmap:106 H264/90000
a=rtcp-fb:106 nack pli
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=sctp-port:5000
{extra}"""
    return "\r\n".join(line for line in lines.splitlines() if line) + "\r\n"
