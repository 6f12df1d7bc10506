"""The keys of this front: those of the file that it shares with the model server, and those given in plain."""

from collections.abc import Sequence
from pathlib import Path

from server.auth.keys import LOCAL, Key, Limits, Scope, hash_secret, keys_of
from server.auth.keys import KeyRing as ServerRing

__all__ = ["LOCAL", "Key", "KeyRing", "Limits", "Scope", "read_keys"]


class KeyRing(ServerRing):
    """Also says whose the jobs are, and takes the keys of a file that has changed."""

    def replace(self, ring: "KeyRing") -> None:
        """From now on these keys."""
        self._keys = ring._keys

    @property
    def several(self) -> bool:
        """Whether one key may get in another's way."""
        return len(self) > 1

    def of_owner(self, owner: str) -> Key | None:
        """The key whose jobs these are; None where it was revoked or its time is over."""
        keys = [LOCAL] if self.open else self.keys
        return next((key for key in keys if key.owner == owner and not key.expired), None)


def read_keys(path: Path | None, plain: Sequence[str] = (), *, may_be_empty: bool = False) -> KeyRing:
    """The keys of a file, and those given in plain, which may read cards. Raises ValueError with one sentence.

    may_be_empty: a running service's file may lose its last key.
    """
    keys = [_plain(secret) for secret in dict.fromkeys(plain)]
    if path is not None:
        keys += _of_file(path, may_be_empty)
    if len({key.id for key in keys}) != len(keys):
        raise ValueError("two keys have one id")
    return KeyRing(keys if keys or path is not None else None)


def _plain(secret: str) -> Key:
    """Its id comes from its hash: by its place it would pass to another key, and with it that one's jobs."""
    digest = hash_secret(secret)
    return Key(id=f"key-{digest[:12]}", sha256=digest, scopes=frozenset({"inference"}))


def _of_file(path: Path, may_be_empty: bool) -> list[Key]:
    try:
        keys = keys_of(path)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from None
    if not keys and not may_be_empty:
        raise ValueError(f"{path.name} holds no key; make one with: python -m server keys add")
    return keys
