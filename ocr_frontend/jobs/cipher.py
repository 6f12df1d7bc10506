"""Images and results of jobs as they lie in a store: AES-256-GCM, each bound to the place that it belongs to."""

import base64
import binascii
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BYTES = 32
_NONCE = 12


class CipherError(Exception):
    """None of the keys opens it."""


class Cipher:
    """The first key encrypts, all of them decrypt: a new key goes in front, the old one leaves after the retention."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """Without a key one that dies with this process."""
        self._ciphers = [AESGCM(key) for key in keys or (secrets.token_bytes(_BYTES),)]

    def close(self, data: bytes, place: str) -> bytes:
        """Encrypt. What is opened for another place is refused."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, data, place.encode())

    def open(self, data: bytes, place: str) -> bytes:
        """Raises CipherError."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(data[:_NONCE], data[_NONCE:], place.encode())
            except (InvalidTag, ValueError):
                continue
        raise CipherError


def read_cipher(text: str) -> Cipher:
    """Of a setting: keys in base64, separated by commas. Raises ValueError with one sentence that holds no key."""
    keys = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(part, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _BYTES:
            raise ValueError(f"a key is {_BYTES} random bytes in base64; make one with: openssl rand -base64 {_BYTES}")
        keys.append(key)
    if not keys:
        raise ValueError("it holds no key")
    return Cipher(keys)
