"""Keys: stored as sha256, compared in constant time, with scopes, adapters and limits. The front reads them, too.

A key is 32 random bytes, so a plain hash cannot be searched backwards: a slow one would only slow every request.
"""

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

# `feedback` is the part of `inference` that a router needs: it may say that an answer was invalid, and nothing else.
Scope = Literal["inference", "feedback", "admin", "metrics"]
SCOPES: tuple[Scope, ...] = ("inference", "feedback", "admin", "metrics")
_PREFIX = "cni-"


class Limits(BaseModel):
    """What a key may use. None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)


class Key(BaseModel):
    """One key of the file. `adapters`: those that it may use, None for all; the base is always allowed. `expires`:
    from when on it opens nothing, None for never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Scope]
    adapters: frozenset[str] | None = None
    limits: Limits = Limits()
    expires: AwareDatetime | None = None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and datetime.datetime.now(datetime.UTC) >= self.expires

    @property
    def owner(self) -> str:
        """Whose the front's jobs are. By the secret itself: an id may be given to somebody else one day."""
        return self.sha256[:32]

    def may(self, scope: Scope) -> bool:
        """Whether the key has a scope; whoever may ask may also say what became of the answer."""
        return scope in self.scopes or (scope == "feedback" and "inference" in self.scopes)

    def may_use(self, model: str) -> bool:
        """Whether the key may ask an adapter by this name, an alias or `alias@revision`."""
        return self.adapters is None or model.partition("@")[0] in self.adapters


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    keys: list[Key]


# Without keys a service listens on loopback only, and everybody there may do everything.
LOCAL = Key(id="local", sha256="0" * 64, scopes=frozenset(SCOPES))


class KeyRing:
    """The keys of a service. None: none are configured, and everybody is `LOCAL`; where all are revoked nobody is."""

    def __init__(self, keys: Sequence[Key] | None) -> None:
        self._keys = None if keys is None else tuple(keys)

    def __len__(self) -> int:
        return len(self._keys or ())

    @property
    def keys(self) -> tuple[Key, ...]:
        """All of them, expired ones too."""
        return self._keys or ()

    @property
    def open(self) -> bool:
        """Whether no keys are configured."""
        return self._keys is None

    def guards(self, scope: Scope) -> bool:
        """Whether some key has a scope; a scope that nobody was given may be open (metrics)."""
        return any(key.may(scope) for key in self._keys or ())

    def find(self, authorization: str | None) -> Key | None:
        """The key of an `Authorization` header. Compares with all, so that time says nothing about any."""
        if self._keys is None:
            return LOCAL
        scheme, _, secret = (authorization or "").partition(" ")
        given = hash_secret(secret.strip()) if scheme.lower() == "bearer" else ""
        found: Key | None = None
        for key in self._keys:
            if hmac.compare_digest(given.encode(), key.sha256.encode()):
                found = key
        return None if found is None or found.expired else found


def read_keys(path: Path | None) -> KeyRing:
    """The key ring of a file, or the open one. Raises ValueError with one sentence, OSError."""
    return KeyRing(None if path is None else keys_of(path))


def keys_of(path: Path) -> list[Key]:
    """The keys of a file. Raises ValueError with one sentence, OSError."""
    try:
        keys = _File.model_validate_json(path.read_bytes()).keys
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{path.name}: {where}: {first['msg']}") from None
    if len({key.id for key in keys}) != len(keys):
        raise ValueError(f"{path.name}: two keys have one id")
    return keys


def hash_secret(secret: str) -> str:
    """What the file stores of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """A fresh key, 256 bits."""
    return _PREFIX + secrets.token_urlsafe(32)
