"""From what a user calls a base (`embedded`, a folder, a hub's name) to a folder with its weights."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from adapters import embedded
from adapters.errors import BaseModelError
from adapters.quantize.form import FORMS, ready
from adapters.settings import Settings

EMBEDDED = "embedded"
_FILES = ["*.json", "*.safetensors", "*.jinja", "*.txt", "*.model"]


def resolve(model: str, settings: Settings) -> Path:
    """The folder of a base: safetensors, config and tokenizer. Fetches or converts what is not there yet.

    Raises BaseModelError with one sentence: not a model folder, or neither a folder nor to be had from a hub.
    """
    if model == EMBEDDED:
        return embedded.prepare(settings.cache, _say)
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise BaseModelError(f"{model} is a folder without config.json: name a model's own folder.")
        return path.resolve()
    if model.startswith((".", "/", "~")):
        raise BaseModelError(f"{model} does not exist: name a model folder, a hub's model, or 'embedded'.")
    return _from_hub(model)


def at_hand(model: str, settings: Settings) -> Path | None:
    """`resolve`, but nothing is fetched or made: None where it would have to be. Raises BaseModelError."""
    if model == EMBEDDED:
        folder = embedded.folder(settings.cache)
        return folder if folder.is_dir() else None
    if Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")):
        return resolve(model, settings)
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return _from_hub(model, local_files_only=True)
    except BaseModelError as error:
        if isinstance(error.__cause__, LocalEntryNotFoundError):
            return None
        raise


def _from_hub(model: str, local_files_only: bool = False) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=_FILES, local_files_only=local_files_only))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise BaseModelError(
            f"{model} cannot be had from the hub ({type(error).__name__}): "
            "check the name and the network, or give a folder that holds it."
        ) from error


def name_of(model: str, folder: Path) -> str:
    """What the base is called: the folder's own name, or the hub's without its owner. `folder`: what it resolved to."""
    if model == EMBEDDED:
        return embedded.NAME
    return folder.name if Path(model).expanduser().is_dir() else Path(model).name


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`python -m adapters base`: print the folder of a base model, made ready."""
    parser = subparsers.add_parser(
        "base",
        help="make a base model ready and print its folder",
        description="Make a base model ready (convert the embedded one, fetch one from a hub) and print its folder.",
    )
    parser.add_argument(
        "model", nargs="?", default=EMBEDDED, help="'embedded', a folder, or a hub's model name (default: embedded)"
    )
    parser.add_argument(
        "--form",
        choices=FORMS,
        default="bf16",
        help="int8: its copy in eight bits, made once in the cache; auto: that one where the processor has AVX512-VNNI "
        "(default: %(default)s, the base as it is)",
    )
    parser.add_argument("--json", action="store_true", help="print what was made ready as JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    settings = Settings()
    original = resolve(args.model, settings)
    cpuinfo = Path("/proc/cpuinfo").read_text() if args.form == "auto" else ""
    made = ready(args.form, original, name_of(args.model, original), settings.cache, _say, cpuinfo)
    print(json.dumps(asdict(made)) if args.json else made.folder)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
