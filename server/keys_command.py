"""`python -m server keys add|list|revoke`: a new key is shown once, the file keeps its hash."""

import argparse
import datetime
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from server.auth.keys import SCOPES, Key, Limits, hash_secret, new_secret, read_keys
from server.auth.keys_edit import add_key, revoke_key

_SPANS = {"h": datetime.timedelta(hours=1), "d": datetime.timedelta(days=1), "w": datetime.timedelta(weeks=1)}


def add_parser(commands: Any) -> None:
    """Add `keys` to the command line."""
    parser = commands.add_parser("keys", help="make, list and revoke keys of the keys file")
    actions = parser.add_subparsers(required=True)
    add = actions.add_parser("add", help="print a new key and add its hash to the file")
    add.add_argument("file", type=Path, help="the keys file (SERVER_KEYS_FILE)")
    add.add_argument("--id", required=True, help="the key's name in logs, metrics and audit")
    add.add_argument("--scope", action="append", choices=SCOPES, required=True, help="may be given several times")
    add.add_argument("--adapter", action="append", help="an adapter it may use (default: all)")
    add.add_argument("--requests-per-second", type=float)
    add.add_argument("--concurrency", type=int, help="answers at a time")
    add.add_argument("--tokens-per-minute", type=int)
    add.add_argument("--expires", help="when it ends: 12h, 30d, 8w, or a date like 2030-01-31 (default: never)")
    add.set_defaults(run=run_add)
    listing = actions.add_parser("list", help="print the keys of the file, without their hashes")
    listing.add_argument("file", type=Path)
    listing.set_defaults(run=run_list)
    revoke = actions.add_parser("revoke", help="take a key out of the file; running servers follow it")
    revoke.add_argument("file", type=Path)
    revoke.add_argument("id")
    revoke.set_defaults(run=run_revoke)


def run_add(arguments: argparse.Namespace) -> int:
    """Print the new key on standard output; 2 when the file or an option is wrong."""
    secret = new_secret()
    try:
        limits = Limits(
            requests_per_second=arguments.requests_per_second,
            concurrency=arguments.concurrency,
            tokens_per_minute=arguments.tokens_per_minute,
        )
        key = Key(
            id=arguments.id,
            sha256=hash_secret(secret),
            scopes=frozenset(arguments.scope),
            adapters=frozenset(arguments.adapter) if arguments.adapter else None,
            limits=limits,
            expires=_moment(arguments.expires, datetime.datetime.now(datetime.UTC)),
        )
        add_key(arguments.file, key)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return _wrong(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    except (ValueError, KeyError, OSError) as error:
        return _wrong(str(error))
    sys.stdout.write(f"{secret}\n")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """One line a key: id, scopes, adapters, limits, end."""
    try:
        keys = read_keys(arguments.file).keys
    except (ValueError, OSError) as error:
        return _wrong(str(error))
    for key in keys:
        limits = key.limits.model_dump(exclude_none=True)
        said = [f"{name.replace('_', ' ')} {value:g}" for name, value in limits.items()] or ["no limits"]
        end = f"{'expired' if key.expired else 'until'} {key.expires:%Y-%m-%d %H:%M} UTC" if key.expires else ""
        parts = [key.id, ",".join(sorted(key.scopes)), ",".join(sorted(key.adapters or {"all adapters"}))]
        sys.stdout.write("  ".join([*parts, ", ".join(said), end or "no end"]) + "\n")
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """2 when there is no such key."""
    try:
        revoke_key(arguments.file, arguments.id)
    except (ValueError, OSError) as error:
        return _wrong(str(error))
    sys.stdout.write(f"{arguments.id} is revoked; running servers follow the file\n")
    return 0


def _moment(text: str | None, now: datetime.datetime) -> datetime.datetime | None:
    """A span from now on, or a day, whose end counts in UTC. Raises ValueError."""
    if text is None:
        return None
    if span := re.fullmatch(r"(\d{1,5})([hdw])", text):
        return now.replace(microsecond=0) + int(span[1]) * _SPANS[span[2]]
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--expires {text}: write 12h, 30d, 8w, or a date like 2030-01-31") from None
    end = datetime.datetime.combine(day, datetime.time(), datetime.UTC) + _SPANS["d"]
    if end <= now:
        raise ValueError(f"--expires {text} is over already")
    return end


def _wrong(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2
