"""Keys, stored as sha256, compared in constant time. One file serves the model server and this front.

A key is 32 random bytes (`python -m server keys add`), so a plain hash cannot be searched backwards.
"""

import datetime
import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

Scope = Literal["inference", "feedback", "admin", "metrics"]  # those of the file; here two of them count


class Limits(BaseModel):
    """What a key may use here. None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)


class Key(BaseModel):
    """One key. `adapters`: those that it may use, None for all; a base model is always allowed. `expires`: from
    when on it opens nothing, None for never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Scope]
    adapters: frozenset[str] | None = None
    limits: Limits = Limits()
    expires: AwareDatetime | None = None

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and datetime.datetime.now(datetime.UTC) >= self.expires

    @property
    def owner(self) -> str:
        """Whose the jobs are. By the secret itself: an id may be given to somebody else one day."""
        return self.sha256[:32]

    def may_use(self, model: str) -> bool:
        """Whether the key may ask an adapter by this name, an alias or `alias@revision`."""
        return self.adapters is None or model.partition("@")[0] in self.adapters


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    keys: list[Key]


# Without keys the front listens on loopback only, and everybody there may read cards.
LOCAL = Key(id="local", sha256="0" * 64, scopes=frozenset({"inference", "metrics", "admin"}))


class KeyRing:
    """The keys of this service. Where none are `configured` everybody is `LOCAL`; where all are revoked nobody is."""

    def __init__(self, keys: Sequence[Key], *, configured: bool | None = None) -> None:
        self._keys = tuple(keys)
        self._configured = bool(keys) if configured is None else configured

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, ring: "KeyRing") -> None:
        """From now on these keys."""
        self._keys = ring._keys

    @property
    def open(self) -> bool:
        """Whether no keys are configured."""
        return not self._configured

    @property
    def several(self) -> bool:
        """Whether one key may get in another's way."""
        return len(self._keys) > 1

    def guards(self, scope: Scope) -> bool:
        """Whether some key has a scope; one that nobody was given may be open (metrics)."""
        return any(scope in key.scopes for key in self._keys)

    def of_owner(self, owner: str) -> Key | None:
        """The key whose jobs these are; None where it was revoked or its time is over."""
        if self.open:
            return LOCAL if owner == LOCAL.owner else None
        return next((key for key in self._keys if key.owner == owner and not key.over), None)

    def find(self, authorization: str | None) -> Key | None:
        """The key of an `Authorization` header. Compares with all, so that time says nothing about any."""
        if self.open:
            return LOCAL
        scheme, _, secret = (authorization or "").partition(" ")
        given = hash_secret(secret.strip()) if scheme.lower() == "bearer" else ""
        found: Key | None = None
        for key in self._keys:
            if hmac.compare_digest(given.encode(), key.sha256.encode()):
                found = key
        return None if found is None or found.over else found


def read_keys(path: Path | None, plain: Sequence[str] = (), *, may_be_empty: bool = False) -> KeyRing:
    """The keys of a file, and those given in plain, which may read cards. Raises ValueError with one sentence.

    may_be_empty: a running service's file may lose its last key.
    """
    keys = [_plain(secret) for secret in dict.fromkeys(plain)]
    if path is not None:
        keys += _of_file(path, may_be_empty)
    ids = [key.id for key in keys]
    if len(set(ids)) != len(ids):
        raise ValueError("two keys have one id")
    return KeyRing(keys, configured=bool(keys) or path is not None)


def _plain(secret: str) -> Key:
    """Its id comes from its hash: by its place it would pass to another key, and with it that one's jobs."""
    digest = hash_secret(secret)
    return Key(id=f"key-{digest[:12]}", sha256=digest, scopes=frozenset({"inference"}))


def _of_file(path: Path, may_be_empty: bool) -> list[Key]:
    try:
        keys = _File.model_validate_json(path.read_bytes()).keys
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{path.name}: {where}: {first['msg']}") from None
    if not keys and not may_be_empty:
        raise ValueError(f"{path.name} holds no key; make one with: python -m server keys add")
    return keys


def hash_secret(secret: str) -> str:
    """What the file stores of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()
