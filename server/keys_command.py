"""`python -m server keys add`: a new key, shown once; the file keeps its hash."""

import argparse
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from server.auth.keys import SCOPES, Key, Limits, add_key, hash_secret, new_secret


def add_parser(commands: Any) -> None:
    """Add `keys add` to the command line."""
    parser = commands.add_parser("keys", help="make a key for the keys file")
    actions = parser.add_subparsers(required=True)
    add = actions.add_parser("add", help="print a new key and add its hash to the file")
    add.add_argument("file", type=Path, help="the keys file (SERVER_KEYS_FILE)")
    add.add_argument("--id", required=True, help="the key's name in logs and audit")
    add.add_argument("--scope", action="append", choices=SCOPES, required=True, help="may be given several times")
    add.add_argument("--adapter", action="append", help="an adapter it may use (default: all)")
    add.add_argument("--requests-per-second", type=float)
    add.add_argument("--concurrency", type=int)
    add.add_argument("--tokens-per-minute", type=int)
    add.set_defaults(run=run_add)


def run_add(arguments: argparse.Namespace) -> int:
    """Print the new key on standard output; 2 when the file or an option is wrong."""
    secret = new_secret()
    try:
        limits = Limits(
            requests_per_second=arguments.requests_per_second,
            concurrency=arguments.concurrency,
            tokens_per_minute=arguments.tokens_per_minute,
        )
        adapters = frozenset(arguments.adapter) if arguments.adapter else None
        scopes = frozenset(arguments.scope)
        key = Key(id=arguments.id, sha256=hash_secret(secret), scopes=scopes, adapters=adapters, limits=limits)
        add_key(arguments.file, key)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        sys.stderr.write(f"{'.'.join(map(str, first['loc']))}: {first['msg']}\n")
        return 2
    except (ValueError, KeyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{secret}\n")
    return 0
