"""Media capabilities between neutral words and H.245 (H.245 clause B.2.2, H.241 clause 8.3).

A `MediaCapability` says what one side can receive (in a capability set) or what a logical channel
carries. Bit rates are bit/s here and units of 100 bit/s on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .h235 import encryption, is_ours

Value = Any
Kind = Literal["audio", "video", "content"]
Codec = Literal["PCMA", "PCMU", "G722", "H264", "H263", "H261"]

H241 = (0, 0, 8, 241, 0, 0, 1)
H241_SINGLE_NAL = (0, 0, 8, 241, 0, 0, 0, 0)  # RFC 3984 single NAL unit mode
H241_NON_INTERLEAVED = (0, 0, 8, 241, 0, 0, 0, 1)  # RFC 3984 non-interleaved mode
H239_CONTROL = (0, 0, 8, 239, 1, 1)
H239_EXTENDED_VIDEO = (0, 0, 8, 239, 1, 2)

_AUDIO: dict[str, Codec] = {"g711Alaw64k": "PCMA", "g711Ulaw64k": "PCMU", "g722-64k": "G722"}
_AUDIO_NAME = {codec: name for name, codec in _AUDIO.items()}

# H.241 table 8-4: level parameter -> (macroblocks a second, macroblocks a frame)
LEVELS = {
    15: (1485, 99), 19: (1485, 99), 22: (3000, 396), 29: (6000, 396), 36: (11880, 396),
    43: (11880, 396), 50: (19800, 792), 57: (20250, 1620), 64: (40500, 1620), 71: (108000, 3600),
    78: (216000, 5120), 85: (245760, 8192), 92: (245760, 8192), 99: (522240, 8704),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaCapability:
    """One codec as H.245 describes it.

    `packets_ms` is the frames-per-packet figure of audio. For H.264, `profiles` are H.241's bits
    (64 baseline .. 8 high), `max_mbps` and `max_fs` already include the custom values. For H.261
    and H.263, `sizes` maps a picture format to its minimum picture interval in 1/29.97 s.
    """

    kind: Kind
    codec: Codec
    bitrate_bps: int = 64_000
    packets_ms: int = 20
    profiles: int = 64
    level: int = 71
    max_mbps: int = 108_000
    max_fs: int = 3600
    sizes: dict[str, int] = field(default_factory=dict)


def to_h245(capability: MediaCapability) -> Value:
    """The capability as (audio|video choice) value, for capability sets and channels alike."""
    if capability.kind == "audio":
        return _AUDIO_NAME[capability.codec], capability.packets_ms
    video = _video(capability)
    if capability.kind == "video":
        return video
    role = {"parameterIdentifier": ("standard", 1), "parameterValue": ("booleanArray", 1)}
    return "extendedVideoCapability", {
        "videoCapability": [video],
        "videoCapabilityExtension": [
            {"capabilityIdentifier": ("standard", H239_EXTENDED_VIDEO), "collapsing": [role]}
        ],
    }


def _video(capability: MediaCapability) -> Value:
    units = capability.bitrate_bps // 100
    if capability.codec == "H264":
        usual_mbps, usual_fs = LEVELS.get(capability.level, (0, 0))
        numbers = [("unsignedMin", 42, capability.level)]
        if capability.max_mbps > usual_mbps:  # H.241 8.3.2.9: units of 500 macroblocks/s
            numbers.append(("unsignedMin", 3, capability.max_mbps // 500))
        if capability.max_fs > usual_fs:  # H.241 8.3.2.10: units of 256 macroblocks
            numbers.append(("unsignedMin", 4, capability.max_fs // 256))
        return "genericVideoCapability", {
            "capabilityIdentifier": ("standard", H241),
            "maxBitRate": units,
            "collapsing": [
                _parameter("booleanArray", 41, capability.profiles),
                *(_parameter(*number) for number in numbers),
            ],
        }
    intervals = {f"{size}MPI": interval for size, interval in capability.sizes.items()}
    if capability.codec == "H261":
        return "h261VideoCapability", {
            **intervals,
            "temporalSpatialTradeOffCapability": False,
            "maxBitRate": units,
            "stillImageTransmission": False,
        }
    return "h263VideoCapability", {
        **intervals,
        "maxBitRate": units,
        "unrestrictedVector": False,
        "arithmeticCoding": False,
        "advancedPrediction": False,
        "pbFrames": False,
        "temporalSpatialTradeOffCapability": False,
        "errorCompensation": False,
    }


def _parameter(kind: str, number: int, value: int) -> Value:
    return {"parameterIdentifier": ("standard", number), "parameterValue": (kind, value)}


def from_h245(value: Value) -> MediaCapability | None:
    """The neutral capability, None for one that we do not speak (never an error: H.245 8.3)."""
    name, body = value
    if name in _AUDIO:
        return MediaCapability("audio", _AUDIO[name], packets_ms=int(body))
    if name == "extendedVideoCapability":
        inner = [from_h245(video) for video in body.get("videoCapability", [])]
        known = next((video for video in inner if video is not None), None)
        if known is None or not _is_h239(body):
            return None
        return replace(known, kind="content")
    if name == "genericVideoCapability":
        return _h264(body)
    if name in ("h261VideoCapability", "h263VideoCapability"):
        sizes = {key[:-3]: int(step) for key, step in body.items() if key.endswith("MPI")}
        codec: Codec = "H261" if name.startswith("h261") else "H263"
        return MediaCapability(
            "video", codec, bitrate_bps=int(body["maxBitRate"]) * 100, sizes=sizes
        )
    return None


def _is_h239(body: Value) -> bool:
    return any(
        extension.get("capabilityIdentifier") == ("standard", H239_EXTENDED_VIDEO)
        for extension in body.get("videoCapabilityExtension", [])
    )


def _h264(body: Value) -> MediaCapability | None:
    if body.get("capabilityIdentifier") != ("standard", H241):
        return None
    numbers: dict[int, int] = {}
    for parameter in [*body.get("collapsing", []), *body.get("nonCollapsing", [])]:
        scope, number = parameter["parameterIdentifier"]
        kind, content = parameter["parameterValue"]
        if scope == "standard" and kind in ("booleanArray", "unsignedMin", "unsignedMax"):
            numbers[int(number)] = int(content)
    level = numbers.get(42, 15)
    usual_mbps, usual_fs = LEVELS.get(level, LEVELS[15])
    return MediaCapability(
        "video",
        "H264",
        bitrate_bps=int(body.get("maxBitRate", 0)) * 100,
        profiles=numbers.get(41, 64),
        level=level,
        max_mbps=max(usual_mbps, numbers.get(3, 0) * 500),
        max_fs=max(usual_fs, numbers.get(4, 0) * 256),
    )


@dataclass(frozen=True, slots=True)
class CapabilitySet:
    """What a peer declared: receivable media, H.239, user input. Empty media: it holds (8.4.1)."""

    media: tuple[MediaCapability, ...] = ()
    speaks_h239: bool = False
    user_input: bool = False
    speaks_fragments: bool = False  # H.264 in RFC 6184's non-interleaved mode
    encrypts: bool = False  # H.235.6 with what we speak

    @property
    def is_empty(self) -> bool:
        return not self.media

    def best(self, kind: Kind, wanted: tuple[Codec, ...]) -> MediaCapability | None:
        """The peer's capability for the first codec that it and we have, as a channel carries it.

        Of H.261 and H.263 we send one size, so a channel names that alone (B.2.2.4).
        """
        for codec in wanted:
            for capability in self.media:
                if capability.kind == kind and capability.codec == codec and sendable(capability):
                    return replace(capability, sizes={"cif": 1} if capability.sizes else {})
        return None


def sendable(capability: MediaCapability) -> bool:
    """Whether it takes what we send: of H.261 and H.263 that is CIF at up to 29.97 a second."""
    return not capability.sizes or capability.sizes.get("cif") == 1


def capability_table(
    media: tuple[MediaCapability, ...], *, content: bool, encrypts: bool = False
) -> Value:
    """(capabilityTable, capabilityDescriptors) of our terminalCapabilitySet."""
    entries: list[Value] = []
    by_kind: dict[str, list[int]] = {}
    for number, capability in enumerate(media, 1):
        side = "receiveAudioCapability" if capability.kind == "audio" else "receiveVideoCapability"
        entries.append(_entry(number, (side, to_h245(capability))))
        by_kind.setdefault(capability.kind, []).append(number)
    extra = len(media) + 1
    entries.append(_entry(extra, ("receiveAndTransmitUserInputCapability", ("dtmf", 0))))
    by_kind["input"] = [extra]
    if content:
        entries.append(
            _entry(
                extra + 1,
                (
                    "genericControlCapability",
                    {"capabilityIdentifier": ("standard", H239_CONTROL)},
                ),
            )
        )
        by_kind["h239"] = [extra + 1]
    for number, capability in enumerate(media if encrypts else (), 1):
        secured = {"encryptionAuthenticationAndIntegrity": encryption(), "mediaCapability": number}
        entries.append(_entry(extra + 1 + number, ("h235SecurityCapability", secured)))
        by_kind[capability.kind].append(extra + 1 + number)
    together = [{"capabilityDescriptorNumber": 0, "simultaneousCapabilities": [*by_kind.values()]}]
    return entries, together


def _entry(number: int, capability: Value) -> Value:
    return {"capabilityTableEntryNumber": number, "capability": capability}


def parse_capability_set(body: Value) -> CapabilitySet:
    """A peer's terminalCapabilitySet. Unknown capabilities are left out, never refused."""
    media: list[MediaCapability] = []
    speaks_h239 = user_input = encrypts = False
    for entry in body.get("capabilityTable", []):
        if "capability" not in entry:
            continue
        name, value = entry["capability"]
        if name in (
            "receiveAudioCapability",
            "receiveAndTransmitAudioCapability",
            "receiveVideoCapability",
            "receiveAndTransmitVideoCapability",
        ):
            known = from_h245(value)
            if known is not None:
                media.append(known)
        elif name == "genericControlCapability":
            speaks_h239 |= value.get("capabilityIdentifier") == ("standard", H239_CONTROL)
        elif name.endswith("UserInputCapability"):
            user_input = True
        elif name == "h235SecurityCapability":
            encrypts |= is_ours(value["encryptionAuthenticationAndIntegrity"])
    fragments = _speaks_fragments(body)
    return CapabilitySet(tuple(media), speaks_h239, user_input, fragments, encrypts)


def _speaks_fragments(body: Value) -> bool:
    """Whether mediaPacketizationCapability names the non-interleaved mode (H.241 7.1.2)."""
    kind, multiplex = body.get("multiplexCapability", ("", {}))
    if kind != "h2250Capability":
        return False
    packetization = multiplex.get("mediaPacketizationCapability", {})
    return any(
        descriptor["payloadDescriptor"] == ("oid", H241_NON_INTERLEAVED)
        for descriptor in packetization.get("rtpPayloadType", [])
    )


def multiplex_capability(media: tuple[MediaCapability, ...]) -> Value:
    """h2250Capability: one centralised point-to-point terminal; H.264 in both packetisations."""
    nothing = {
        "multicastCapability": False,
        "multiUniCastConference": False,
        "mediaDistributionCapability": [
            {
                "centralizedControl": True,
                "distributedControl": False,
                "centralizedAudio": True,
                "distributedAudio": False,
                "centralizedVideo": True,
                "distributedVideo": False,
            }
        ],
    }
    packetization: dict[str, Value] = {"h261aVideoPacketization": False}
    if any(capability.codec == "H264" for capability in media):
        packetization["rtpPayloadType"] = [
            {"payloadDescriptor": ("oid", oid), "payloadType": payload_type}
            for oid, payload_type in ((H241_SINGLE_NAL, 109), (H241_NON_INTERLEAVED, 110))
        ]
    return {
        "maximumAudioDelayJitter": 60,
        "receiveMultipointCapability": nothing,
        "transmitMultipointCapability": nothing,
        "receiveAndTransmitMultipointCapability": nothing,
        "mcCapability": {"centralizedConferenceMC": True, "decentralizedConferenceMC": False},
        "rtcpVideoControlCapability": True,
        "mediaPacketizationCapability": packetization,
    }
