"""The one door to the ASN.1 library: H.225.0, RAS and H.245 messages as plain Python values.

Values are the library's: CHOICE is (name, value), SEQUENCE a dict, OPEN and OCTET STRING bytes,
BIT STRING (integer, length), OBJECT IDENTIFIER a tuple of integers. The library keeps the value
in global objects: use it from one thread only, the gateway's event loop. Its aligned-PER encoder
pads the open types of extension additions before the extension bitmap is counted (X.691 clause 19.7
to 19.9 put the bitmap first); `_to_per` here counts the bitmap first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from pycrate_asn1dir import H225, H235, H245
from pycrate_asn1rt.asnobj_construct import _CONSTRUCT
from pycrate_asn1rt.codecs import T_UINT, ASN1CodecPER

from .errors import LocalH323Error, RemoteH323Error
from .tpkt import MAX_PDU

Value = Any  # the library's nested tuples, dicts and bytes; typed one layer up

_H323_UU = H225.H323_MESSAGES.H323_UserInformation
_RAS = H225.H323_MESSAGES.RasMessage
_H245 = H245.MULTIMEDIA_SYSTEM_CONTROL.MultimediaSystemControlMessage
_CHANNEL = H245.MULTIMEDIA_SYSTEM_CONTROL.OpenLogicalChannel

_H235_KEY = H235.H235_SECURITY_MESSAGES.H235Key

_library_to_per = _CONSTRUCT._to_per


def _extension_entries(self: Any) -> tuple[list[tuple[int, Any, Any]], int]:
    """(index from 1, component, value) of each known extension present, and the bitmap's length."""
    present = []
    for index, ident in enumerate(self._ext_nest, 1):
        if isinstance(ident, list):
            group = {name: self._val[name] for name in ident if name in self._val}
            if group:
                number = self._ext_ident[next(iter(group))]
                present.append((index, self._ext_group_obj[number], group))
        elif ident in self._val:
            present.append((index, self._cont[ident], self._val[ident]))
    return present, len(self._ext_nest)


def _to_per(self: Any) -> list[Any]:
    """SEQUENCE and SET with extension additions, X.691 clauses 19.1 and 19.7 to 19.9."""
    whole = self._val
    if self._ext is None or not any(name in self._ext for name in whole):
        return cast("list[Any]", _library_to_per(self))
    present, length = _extension_entries(self)
    self._val = {name: value for name, value in whole.items() if name not in self._ext}
    try:
        bits = cast("list[Any]", _library_to_per(self))
    finally:
        self._val = whole
    bits[0] = (T_UINT, 1, 1)
    bitmap = sum(1 << (length - index) for index, _, _ in present)
    bits += [(T_UINT, length - 1, 7), (T_UINT, bitmap, length)]  # at most 64: a small number
    ASN1CodecPER._off[-1] += 7 + length
    if ASN1CodecPER._off[-1] % 8:
        bits += ASN1CodecPER.encode_pad()
    for _, component, value in present:
        parent, component._parent = component._parent, self
        component._val = value
        bits += ASN1CodecPER.encode_unconst_open(component)
        component._parent = parent
    return bits


_CONSTRUCT._to_per = _to_per


def _decode(codec: Any, pdu: bytes) -> Value:
    if len(pdu) > MAX_PDU:
        raise RemoteH323Error("pdu_too_large", length=len(pdu))
    try:
        codec.from_aper(pdu)
        return codec.get_val()
    except Exception as error:  # noqa: BLE001 - the library raises every kind, even NameError
        raise RemoteH323Error("asn1_malformed", reason=type(error).__name__) from None


def _encode(codec: Any, value: Value) -> bytes:
    try:
        codec.set_val(value)
        return cast("bytes", codec.to_aper())
    except Exception as error:
        raise LocalH323Error("asn1_value", reason=str(error)[:300]) from error


def decode_uu(pdu: bytes) -> Value:
    """An H323-UserInformation (H.225.0 annex H) from a user-user element.

    Raises RemoteH323Error for anything that does not decode, whatever it is.
    """
    return _decode(_H323_UU, pdu)


def encode_uu(value: Value) -> bytes:
    """Raises LocalH323Error when the value is not of the type."""
    return _encode(_H323_UU, value)


def decode_ras(pdu: bytes) -> Value:
    """A RasMessage. Raises RemoteH323Error."""
    return _decode(_RAS, pdu)


def encode_ras(value: Value) -> bytes:
    return _encode(_RAS, value)


def decode_h245(pdu: bytes) -> Value:
    """A MultimediaSystemControlMessage, to be read only. Raises RemoteH323Error."""
    return _decode_set(pdu) if pdu[:1] == _SET_TAG else _decode(_H245, pdu)


def encode_h245(value: Value) -> bytes:
    if value[1][0] != "terminalCapabilitySet":
        return _encode(_H245, value)
    key = repr(value)
    known = _sets.get(key)
    if known is None:
        if len(_sets) >= KNOWN_SETS:
            _sets.clear()
        known = _sets[key] = _encode(_H245, value)
    return known


# A capability set costs a millisecond each way, and every call between two makes has the same two.
KNOWN_SETS = 64
_SET_TAG = b"\x02"  # request, terminalCapabilitySet
_sets: dict[str, bytes] = {}


@lru_cache(maxsize=KNOWN_SETS)
def _decode_set(pdu: bytes) -> Value:
    return _decode(_H245, pdu)


def decode_channel(pdu: bytes) -> Value:
    """An OpenLogicalChannel of fast start. Raises RemoteH323Error."""
    return _decode(_CHANNEL, pdu)


def encode_channel(value: Value) -> bytes:
    return _encode(_CHANNEL, value)


def decode_h235_key(pdu: bytes) -> Value:
    """An H235Key (H.235.0 annex A) out of an encryptionSync. Raises RemoteH323Error."""
    return _decode(_H235_KEY, pdu)


def encode_h235_key(value: Value) -> bytes:
    return _encode(_H235_KEY, value)
