"""H.235.6: keys for encrypted media, agreed by Diffie-Hellman in SETUP and CONNECT.

Sans-IO. The shared secret of a call encrypts the session keys that the master of H.245 gives each
logical channel (H.235.6 clauses 8.5 to 8.7). Group: RFC 3526's 2048-bit one; media: AES-128-CBC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .asn1 import decode_h235_key, encode_h235_key
from .errors import RemoteH323Error

Value = Any

AES_128_CBC = (2, 16, 840, 1, 101, 3, 4, 1, 2)
SUITE = "H235_AES_CBC_128"  # as the media node knows it
DH_2048 = (0, 0, 8, 235, 0, 3, 45)
KEY_OCTETS = 16
BITS = 2048
PRIVATE_OCTETS = 40  # twice the strength of the group and more
GENERATOR = 2
PRIME = int(  # RFC 3526 clause 3
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)

RandomBytes = Callable[[int], bytes]


class MediaKeys:
    """The session keys of one call's channels, under its shared secret."""

    def __init__(self, secret: bytes, random_bytes: RandomBytes) -> None:
        self._secret, self._random_bytes = secret, random_bytes

    def new(self) -> bytes:
        """A session key for one channel, by the master."""
        return self._random_bytes(KEY_OCTETS)

    def sync(self, key: bytes, payload_type: int) -> Value:
        """encryptionSync: the key, encrypted, and the payload type that it belongs to."""
        iv = self._random_bytes(16)
        encryptor = Cipher(algorithms.AES128(self._secret), modes.CBC(iv)).encryptor()
        material = {
            "algorithmOID": AES_128_CBC,
            "paramS": {"iv16": iv},
            "encryptedSessionKey": encryptor.update(key) + encryptor.finalize(),
        }
        h235_key = encode_h235_key(("secureSharedSecret", material))
        return {"synchFlag": payload_type, "h235Key": h235_key}

    def read(self, sync: Value) -> bytes:
        """The session key of a peer's encryptionSync. Raises RemoteH323Error."""
        kind, material = decode_h235_key(bytes(sync["h235Key"]))
        if kind != "secureSharedSecret" or material.get("algorithmOID") != AES_128_CBC:
            raise RemoteH323Error("h235_key_unknown", kind=kind)
        iv, sealed = material["paramS"].get("iv16"), material.get("encryptedSessionKey", b"")
        if iv is None or len(sealed) != KEY_OCTETS:
            raise RemoteH323Error("h235_key_malformed", length=len(sealed))
        decryptor = Cipher(algorithms.AES128(self._secret), modes.CBC(bytes(iv))).decryptor()
        return decryptor.update(bytes(sealed)) + decryptor.finalize()


class KeyExchange:
    """One side of the exchange: `tokens` to send, `agree` on what came."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._private = int.from_bytes(random_bytes(PRIVATE_OCTETS)) | 1 << (8 * PRIVATE_OCTETS - 1)

    def tokens(self) -> list[Value]:
        """ClearTokens of SETUP, or of the CONNECT that takes the caller's."""
        half = pow(GENERATOR, self._private, PRIME)
        numbers = {"halfkey": half, "modSize": PRIME, "generator": GENERATOR}
        dhkey = {name: (number, BITS) for name, number in numbers.items()}
        return [{"tokenOID": DH_2048, "dhkey": dhkey}]

    def agree(self, tokens: Iterable[Value]) -> MediaKeys | None:
        """The call's keys; None where the peer has no token of ours.

        Raises RemoteH323Error (h235_half_key) for a half-key that betrays the secret.
        """
        token = next((one for one in tokens if one.get("tokenOID") == DH_2048), None)
        if token is None or "dhkey" not in token:
            return None
        half = int(token["dhkey"]["halfkey"][0])
        if not 1 < half < PRIME - 1:
            raise RemoteH323Error("h235_half_key")
        shared = pow(half, self._private, PRIME).to_bytes(BITS // 8)
        return MediaKeys(shared[-KEY_OCTETS:], self._random_bytes)


def encryption() -> Value:
    """encryptionAuthenticationAndIntegrity of capabilities and channels."""
    return {"encryptionCapability": [("algorithm", AES_128_CBC)]}


def is_ours(value: Value) -> bool:
    """Whether a peer's encryptionAuthenticationAndIntegrity has what we speak."""
    return ("algorithm", AES_128_CBC) in value.get("encryptionCapability", [])
