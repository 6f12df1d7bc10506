"""`python -m adapters serving`: which adapters of a registry can serve on a base, by which documents, or why not."""

import argparse
import json
import sys
from typing import Any

from adapters import bases
from adapters.adopt.adopting import ANY_RANK
from adapters.adopt.command import target_of
from adapters.registry.catalogue import Adapter
from adapters.registry.errors import RegistryError
from adapters.registry.option import add_option, chosen
from adapters.registry.reader import Reader
from adapters.registry.validate import Rules


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("serving", help="which adapters can serve on a base, and why others cannot (JSON)")
    parser.add_argument("--base", default=bases.EMBEDDED, help="'embedded', a folder, or a hub's name (%(default)s)")
    add_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    try:
        target = target_of(args.base)
        rules = Rules(target.base, ANY_RANK, target.names)
        adapters = Reader(chosen(args.registry), rules).read().adapters.values()
    except (RegistryError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(json.dumps({adapter.name: _shown(adapter) for adapter in adapters}))
    return 0


def _shown(adapter: Adapter) -> dict[str, Any]:
    """Of what the alias means: documents (empty: the front's own), rank, and what stands in the way (None: nothing)."""
    meant = [adapter.revisions[name] for name in adapter.weights if name in adapter.revisions]
    refused = next((r.refusal for r in (meant or adapter.revisions.values()) if r.refusal), None)
    if not meant:
        refused = refused or "no revision of it can serve"
    documents = [name for revision in meant for name in (revision.prompt or {}).get("documents", ())]
    rank = max((revision.rank for revision in meant), default=0)
    return {"documents": list(dict.fromkeys(documents)), "rank": rank, "refused": refused}
