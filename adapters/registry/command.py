"""`registry`: the registry's operations on a folder, without a server. Servers that follow the folder see them."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from adapters.registry.archive import unpack
from adapters.registry.base_model import read_base
from adapters.registry.contents import Taken
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import RegistryError
from adapters.registry.folder import copy_adapter
from adapters.registry.home import make_ready
from adapters.registry.limits import SizeLimits
from adapters.registry.option import add_option, chosen
from adapters.registry.reader import Reader
from adapters.registry.remote import fetch_remote, is_remote
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content, check_header


def add_parser(subparsers: Any) -> None:
    """Add `registry` to a command line."""
    parser = subparsers.add_parser("registry", help="list, add, switch, split, roll back, remove revisions")
    add_option(parser)
    actions = parser.add_subparsers(required=True)
    listing = actions.add_parser("list", help="adapters, revisions and what aliases mean, as JSON")
    listing.add_argument("--base", type=Path, required=True, help="folder of the base model")
    listing.set_defaults(action=_list)
    adding = actions.add_parser("add", help="register a folder, an archive or a remote source (s3://, gs://, hf://)")
    adding.add_argument("name")
    adding.add_argument("source")
    adding.add_argument("--base", type=Path, required=True, help="folder of the base model")
    adding.add_argument("--max-rank", type=int, default=16)
    adding.set_defaults(action=_add)
    switching = actions.add_parser("switch", help="one REVISION, or several REVISION=SHARE")
    switching.add_argument("name")
    switching.add_argument("revisions", nargs="+", metavar="REVISION[=SHARE]")
    switching.set_defaults(action=_switch)
    where = actions.add_parser("where", help="the registry folder; one's own is made ready")
    where.set_defaults(action=_where)
    seeding = actions.add_parser("seed", help="put the shipped adapters there, each once: a deleted one stays away")
    seeding.set_defaults(action=_seed)
    restoring = actions.add_parser("restore", help="bring back the last good state where state.json cannot be read")
    restoring.set_defaults(action=_restore)
    for name, action, text in (
        ("rollback", _rollback, "what served before"),
        ("remove", _remove, "delete a revision that the alias does not name"),
        ("retire", _retire, "delete an adapter with all of its revisions"),
    ):
        other = actions.add_parser(name, help=text)
        other.add_argument("name")
        if name == "remove":
            other.add_argument("revision")
        other.set_defaults(action=action)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run an action; prints its result, a path or JSON. 2 with one line when it cannot be done."""
    try:
        arguments.registry = chosen(arguments.registry)
        result = arguments.action(arguments)
    except (RegistryError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write((str(result) if isinstance(result, Path) else json.dumps(result, indent=1)) + "\n")
    return 0


def _list(arguments: argparse.Namespace) -> Any:
    rules = Rules(read_base(arguments.base), max_rank=512)
    catalogue = Reader(arguments.registry, rules).read()
    return {
        name: {
            "serving": adapter.weights,
            "revisions": {key: value.refusal or "ok" for key, value in adapter.revisions.items()},
            "left_out": sorted({name for value in adapter.revisions.values() for name in value.left_out}),
        }
        for name, adapter in catalogue.adapters.items()
    }


def _where(arguments: argparse.Namespace) -> Any:
    return arguments.registry.resolve()


def _seed(arguments: argparse.Namespace) -> Any:
    home = make_ready(arguments.registry)
    return {"registry": str(home.folder), "put": list(home.put), "waiting": dict(home.waiting)}


def _add(arguments: argparse.Namespace) -> Any:
    limits = SizeLimits()
    rules = Rules(read_base(arguments.base), arguments.max_rank)
    registry = Registry(arguments.registry, can_serve=Reader(arguments.registry, rules).can_serve)
    with registry.staging() as staging:
        taken = _fetch(arguments.source, staging, limits)
        checked = check_header(taken.folder, rules)
        check_content(taken.folder, checked.manifest, revision_name(content_digest(taken.folder)))
        revision, new = registry.register(arguments.name, taken.folder)
    return {"adapter": arguments.name, "revision": revision, "new": new, "left_out": list(taken.left_out)}


def _fetch(source: str, staging: Path, limits: SizeLimits) -> Taken:
    target = staging / "content"
    if is_remote(source):
        return fetch_remote(source, target, limits)
    if Path(source).is_dir():
        return copy_adapter(Path(source).resolve(), target, limits)
    target.mkdir()
    return unpack(Path(source), target, limits)


def _switch(arguments: argparse.Namespace) -> Any:
    pairs = [text.partition("=") for text in arguments.revisions]
    weights = {revision: float(share or 1) for revision, _, share in pairs}
    return Registry(arguments.registry).switch(arguments.name, weights).aliases[arguments.name].model_dump()


def _rollback(arguments: argparse.Namespace) -> Any:
    return Registry(arguments.registry).rollback(arguments.name).aliases[arguments.name].model_dump()


def _remove(arguments: argparse.Namespace) -> Any:
    alias = Registry(arguments.registry).remove(arguments.name, arguments.revision).aliases.get(arguments.name)
    return alias.model_dump() if alias else {}


def _retire(arguments: argparse.Namespace) -> Any:
    Registry(arguments.registry).retire(arguments.name)
    return {"adapter": arguments.name, "deleted": True}


def _restore(arguments: argparse.Namespace) -> Any:
    return {name: alias.weights for name, alias in Registry(arguments.registry).restore().aliases.items()}
