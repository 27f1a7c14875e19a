"""A call as the rest of the house sees it, whatever protocol carries it."""

from __future__ import annotations

from dataclasses import dataclass, field

from video_bridge import CloseReason
from video_bridge.messages import DtlsTerms, RtpStream, SrtpKeys

from .capability import AgreedStream, LocalMedia
from .errors import LocalSipError
from .messages import CallChanged, CallResult, CallState, DtmfPressed, SrtpPolicy

TRANSITIONS: dict[CallState, frozenset[CallState]] = {
    CallState.DIALLING: frozenset({CallState.RINGING, CallState.CONNECTED, CallState.ENDED}),
    # back to dialling: the next rung of the ladder, the room's other line
    CallState.RINGING: frozenset({CallState.DIALLING, CallState.CONNECTED, CallState.ENDED}),
    CallState.CONNECTED: frozenset({CallState.DIALLING, CallState.ENDED}),
    CallState.ENDED: frozenset(),
}

RESULT_OF_STATUS = {
    401: CallResult.AUTHENTICATION_FAILED,
    403: CallResult.DECLINED,
    404: CallResult.NOT_FOUND,
    407: CallResult.AUTHENTICATION_FAILED,
    408: CallResult.NO_ANSWER,
    410: CallResult.NOT_FOUND,
    415: CallResult.NO_COMMON_CODEC,
    480: CallResult.NO_ANSWER,
    484: CallResult.NOT_FOUND,
    486: CallResult.BUSY,
    487: CallResult.CANCELLED,
    488: CallResult.NO_COMMON_CODEC,
    502: CallResult.UNREACHABLE,
    503: CallResult.UNREACHABLE,
    504: CallResult.UNREACHABLE,
    600: CallResult.BUSY,
    603: CallResult.DECLINED,
    604: CallResult.NOT_FOUND,
    606: CallResult.NO_COMMON_CODEC,
}

# why the leg is taken off the node when a call ends
REASON_OF_RESULT = {
    CallResult.HUNG_UP: CloseReason.HUNG_UP,
    CallResult.REMOVED: CloseReason.REMOVED,
    CallResult.CANCELLED: CloseReason.REMOVED,
    CallResult.MEDIA_FAILED: CloseReason.FAILED,
    CallResult.NODE_AT_CAPACITY: CloseReason.REJECTED,
    CallResult.NO_ANSWER: CloseReason.TIMED_OUT,
    CallResult.UNREACHABLE: CloseReason.TIMED_OUT,
}

FULL = frozenset({"node_at_capacity", "rtp_ports_exhausted"})  # refusals by the media node


def result_of_refusal(code: str) -> CallResult:
    """What the media node's refusal of a leg means for its call."""
    return CallResult.NODE_AT_CAPACITY if code in FULL else CallResult.MEDIA_FAILED


# what a leg that the node closed means for its call
RESULT_OF_REASON = {
    CloseReason.HUNG_UP: CallResult.HUNG_UP,
    CloseReason.REMOVED: CallResult.REMOVED,
    CloseReason.CONFERENCE_CLOSED: CallResult.REMOVED,
    CloseReason.REPLACED: CallResult.REMOVED,
}


@dataclass(slots=True)
class Call:
    """One call and its leg: `leg_id` names both. `session_id` is the protocol's own name."""

    leg_id: str
    conference_id: str
    name: str
    incoming: bool
    session_id: str
    state: CallState
    account: str | None = None
    remote: str = ""
    remote_host: str = ""
    srtp_policy: SrtpPolicy = SrtpPolicy.OFF  # its site's, or as the gateway is set
    is_private: bool = False  # signalling is encrypted, so media keys may travel in it
    has_leg: bool = False
    has_rung: bool = False
    gives_up_as: CallResult | None = None  # the reason we are hanging up for
    local_media: LocalMedia | None = None
    session_number: int = 0
    codecs: list[str] = field(default_factory=list)
    result: CallResult | None = None
    sip_status: int | None = None

    @property
    def is_over(self) -> bool:
        return self.state is CallState.ENDED

    def move(self, state: CallState) -> None:
        """Raises LocalSipError for a step that the table does not know."""
        if state not in TRANSITIONS[self.state]:
            raise LocalSipError("call_state_unexpected", before=self.state, after=state)
        self.state = state

    def pressed(self, digit: str) -> DtmfPressed:
        """The event of a key that signalling told."""
        return DtmfPressed(leg_id=self.leg_id, conference_id=self.conference_id, digit=digit)

    def changed(self) -> CallChanged:
        """The event that tells the house about the call as it is now."""
        return CallChanged(
            leg_id=self.leg_id,
            conference_id=self.conference_id,
            state=self.state,
            incoming=self.incoming,
            account=self.account,
            remote=self.remote,
            remote_host=self.remote_host,
            result=self.result if self.is_over else None,
            sip_status=self.sip_status,
            codecs=self.codecs,
        )


def result_of_status(status: int | None) -> CallResult:
    """What a final failure response means in plain words."""
    if status is None:
        return CallResult.UNREACHABLE
    return RESULT_OF_STATUS.get(status, CallResult.PROTOCOL_ERROR)


def _srtp_keys(stream: AgreedStream) -> SrtpKeys | None:
    if stream.srtp is None:
        return None
    keying = stream.srtp
    return SrtpKeys(suite=keying.suite, send=keying.send_key, receive=keying.receive_key)


def _dtls_terms(stream: AgreedStream) -> DtlsTerms | None:
    if stream.dtls is None:
        return None
    return DtlsTerms(is_client=stream.dtls.is_client, fingerprints=list(stream.dtls.fingerprints))


def rtp_stream(stream: AgreedStream) -> RtpStream:
    """An agreed stream in the words of the media node."""
    return RtpStream(
        media=stream.media,
        codec=stream.codec,
        payload_type=stream.payload_type,
        clock_rate=stream.clock_rate,
        remote_host=stream.remote_host,
        remote_port=stream.remote_port,
        remote_rtcp_port=stream.remote_rtcp_port,
        send=stream.send,
        receive=stream.receive,
        packetization_mode=stream.packetization_mode,
        profile_level_id=stream.profile_level_id,
        max_bitrate_bps=stream.max_bitrate_bps,
        telephone_event_type=stream.telephone_event_type,
        rtcp_feedback=list(stream.rtcp_feedback),
        srtp=_srtp_keys(stream),
        dtls=_dtls_terms(stream),
        rtcp_mux=stream.rtcp_mux,
        receive_codec=stream.codec if stream.receive_payload_type is not None else None,
        receive_payload_type=stream.receive_payload_type,
    )
