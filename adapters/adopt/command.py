"""`python -m adapters adopt`: a PEFT folder, an archive or a hub's adapter becomes a revision in the registry."""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from adapters import bases, embedded
from adapters.adopt.adopting import Adopted, Target, adopt, check_name, named_base
from adapters.adopt.chat import contract_of
from adapters.adopt.contract_file import read_contract_file
from adapters.adopt.default import default_contract
from adapters.registry.archive import unpack
from adapters.registry.base_model import read_base
from adapters.registry.contents import Taken
from adapters.registry.contract import PromptContract
from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import Conflict, RegistryError
from adapters.registry.folder import copy_adapter
from adapters.registry.limits import SizeLimits
from adapters.registry.manifest import read_manifest
from adapters.registry.option import add_option, chosen
from adapters.registry.remote import fetch_remote, is_remote
from adapters.registry.state import load_state
from adapters.registry.store import Registry
from adapters.settings import Settings

CONTRACT = "contract.yaml"
# A checkpoint may hold embeddings, which are left out.
_LIMITS = SizeLimits(bytes=8 << 30)
_HUB = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "adopt",
        help="make a revision of your own PEFT folder, with the contract that it was trained on",
        description="Check a PEFT adapter against its base, leave out what training left beside it, give it a manifest "
        "and a contract (how it is asked, docs/how-to/own-adapter.md), and register it. Prints NAME@REVISION.",
    )
    parser.add_argument("source", help="a folder, an archive, or a hub's name (owner/name)")
    parser.add_argument("--base", default=bases.EMBEDDED, help="'embedded', a folder, or a hub's name (%(default)s)")
    parser.add_argument(
        "--contract", type=Path, help=f"contract file (default: {CONTRACT} in the folder; else written)"
    )
    parser.add_argument("--name", help="of the adapter (default: the folder's own)")
    add_option(parser)
    parser.add_argument("--same-base", action="store_true", help="it was trained on this base, whatever it calls it")
    parser.add_argument("--switch", action="store_true", help="let the name mean this revision at once")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    try:
        result = adopt_source(args)
    except (RegistryError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write((json.dumps(result) if args.json else f"{result['adapter']}@{result['revision']}") + "\n")
    return 0


def adopt_source(args: argparse.Namespace) -> dict[str, Any]:
    """Adopt and register; what was made. Raises AdaptersError, RegistryError, OSError, ValueError."""
    target = target_of(args.base)
    name = args.name or _name(args.source)
    args.registry = chosen(args.registry)
    _check_place(args.source, args.registry, name)
    registry = Registry(args.registry)
    with registry.staging() as staging:
        taken = _fetch(args.source, staging)
        if not args.same_base and read_manifest(taken.folder) is None:
            # Before the contract, whose chat template takes seconds to load.
            check_name(named_base(taken.folder), target)
        contract, file, written = _contract(args, name, taken, target)
        made = adopt(taken.folder, name, target, contract, args.same_base)
        revision, new = registry.register(name, taken.folder)
    if args.switch:
        registry.switch(name, {revision: 1.0})
    _tell(name, revision, new, made, taken, target)
    _tell_contract(file, written, made, Path(args.source))
    if not args.switch and new:
        _tell_switch(args, name, revision)
    documents = list(made.contract.documents) if made.contract else []
    return {
        "adapter": name,
        "revision": revision,
        "new": new,
        "rank": made.rank,
        "modules": made.modules,
        "documents": documents,
        "contract": str(file) if file else None,
        "left_out": [*_left_out(taken), *made.embeddings],
    }


def target_of(base: str) -> Target:
    """The base as a user calls it. Raises AdaptersError, OSError, ValueError."""
    folder = bases.resolve(base, Settings())
    name = embedded.NAME if base == bases.EMBEDDED else folder.name if Path(base).expanduser().is_dir() else base
    return Target(read_base(folder, base, name), folder, name)


def _name(source: str) -> str:
    """Of a folder its own, of an archive without its suffixes, of a hub's address the last part."""
    last = Path(source).resolve().name if Path(source).exists() else source.rstrip("/").rpartition("/")[2]
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", last)).strip("-._")
    return cleaned[:64] or "adapter"


def _check_place(source: str, registry: Path, name: str) -> None:
    """A folder that lies in the registry is served from there as it is."""
    own = registry / name
    if (own / CONFIG_FILE).exists() and own.resolve() == Path(source).resolve():
        raise Conflict(
            f"{source} lies in the registry itself and is served from there as it is: move it elsewhere first "
            f"(mv {source} runs/{name}), then adopt it from there."
        )


def _fetch(source: str, staging: Path) -> Taken:
    target = staging / "content"
    path = Path(source).expanduser()
    if path.is_dir():
        return copy_adapter(path.resolve(), target, _LIMITS)
    if path.is_file():
        target.mkdir()
        return unpack(path, target, _LIMITS)
    if is_remote(source) or _HUB.match(source):
        return fetch_remote(source if is_remote(source) else f"hf://{source}", target, _LIMITS)
    raise Conflict(f"{source} is neither a folder, an archive nor a hub's adapter (owner/name).")


def _contract(
    args: argparse.Namespace, name: str, taken: Taken, target: Target
) -> tuple[PromptContract | None, Path | None, bool]:
    """The contract, the file that says it, and whether that was written now. A manifest's own stays where none is."""
    beside = Path(args.source) / CONTRACT
    file: Path | None = args.contract or (beside if beside.is_file() else None)
    if file is None and read_manifest(taken.folder) is not None:
        return None, None, False
    written = file is None
    if file is None:
        file = _place(Path(args.source), name)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(default_contract(name, _has_template(target.folder)), encoding="utf-8")
        else:
            written = False
    return contract_of(read_contract_file(file.read_bytes()), target.folder), file.absolute(), written


def _place(source: Path, name: str) -> Path:
    """Beside the adapter where that is a folder of the user's, else among the runs."""
    if source.is_dir() and os.access(source, os.W_OK):
        return source / CONTRACT
    return Path("runs") / "contracts" / f"{name}.yaml"


def _has_template(base: Path) -> bool:
    if any(base.glob("chat_template.*")):
        return True
    try:
        return bool(json.loads((base / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template"))
    except (OSError, ValueError):
        return False


def _tell(name: str, revision: str, new: bool, made: Adopted, taken: Taken, target: Target) -> None:
    _say(
        f"{name}@{revision}: rank {made.rank} on {made.modules} modules of {target.name}{'' if new else ', as before'}"
    )
    if left_out := _left_out(taken):
        _say(f"left out: {', '.join(left_out)}")
    if made.embeddings:
        _say(f"left out, as they are the base's own: {', '.join(made.embeddings)}")


def _left_out(taken: Taken) -> list[str]:
    """The contract's file is read, not left out."""
    return [name for name in taken.left_out if name != CONTRACT]


def _tell_contract(file: Path | None, written: bool, made: Adopted, source: Path) -> None:
    if file is None:
        _say("contract: the manifest's own" if made.contract else "contract: none; the front asks in its own words")
    elif written and source.is_dir() and file.parent != source.absolute():
        _say(
            f"contract: a guess, {file}, as {source} cannot be written: put it there as {CONTRACT}, edited to what the "
            "adapter was trained on, and adopt again"
        )
    elif written:
        _say(f"contract: {file}, written now: edit it to what the adapter was trained on and adopt again")
    else:
        _say(f"contract: {file}")


def _tell_switch(args: argparse.Namespace, name: str, revision: str) -> None:
    alias = load_state(args.registry).aliases.get(name)
    if alias is not None and alias.weights != {revision: 1.0}:
        command = f"python -m adapters registry --registry {args.registry} switch {name} {revision}"
        _say(f"{name} still means {', '.join(alias.weights)}; to switch: {command}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
