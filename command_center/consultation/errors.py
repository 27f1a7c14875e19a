"""Errors of the consultation room: codes and fields; the edge adds status and words."""

from __future__ import annotations


class ConsultationError(Exception):
    """Base of the room."""

    code = "consultation_error"

    def __init__(self, code: str | None = None, **fields: object) -> None:
        self.code = code or type(self).code
        self.fields = fields
        super().__init__(self.code, fields)


class LocalConsultationError(ConsultationError):
    """The caller asked for what the desk cannot do: `consultation_not_found`, `..._closed`, ..."""

    code = "consultation_misused"


class RemoteConsultationError(ConsultationError):
    """A member sent something malformed: `sdp_malformed`, `trickle_malformed`."""

    code = "consultation_malformed"
