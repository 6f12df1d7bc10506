"""`python -m adapters push cni@REVISION owner/name`: a revision as a model repository on a hub."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from adapters.errors import HubError
from adapters.hub.card import write_card
from adapters.registry.contents import is_wanted
from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE, content_digest
from adapters.registry.option import add_option, chosen


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "push",
        help="upload a revision with its model card to a hub",
        description="Upload a revision (weights, configuration, manifest, card, plots) to a hub. It takes a token that "
        "may write there: HF_TOKEN, or `hf auth login`. HF_ENDPOINT names another hub. Servers take it by "
        "hf://owner/name.",
    )
    parser.add_argument("revision", metavar="NAME@REVISION", help="or a folder")
    parser.add_argument("repository", metavar="OWNER/NAME")
    add_option(parser)
    parser.add_argument("--private", action="store_true", help="make the repository private where it is made now")
    parser.add_argument("--license", help="an identifier of the hub, for example apache-2.0")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    folder = _folder(args.registry, args.revision)
    with contextlib.suppress(OSError):  # a registry that cannot be written: it goes as it is
        write_card(folder, args.license)
    print(push(folder, args.repository, private=args.private))
    return 0


def _folder(given: Path | None, revision: str) -> Path:
    folder, where = Path(revision), ""
    if not folder.is_dir():
        registry = chosen(given)
        folder, where = registry / revision.replace("@", "/"), f" in {registry}"
    missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE, MANIFEST_FILE) if not (folder / name).is_file()]
    if missing:
        raise HubError(
            f"{revision} is no revision{where} ({', '.join(missing)} missing): python -m adapters registry list "
            "shows them, python -m adapters adopt makes one of a PEFT folder."
        )
    return folder


def push(folder: Path, repository: str, *, private: bool = False) -> str:
    """Upload; the address of the commit. Raises HubError with a sentence."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    names = sorted(path.name for path in folder.iterdir() if path.is_file() and is_wanted(path.name))
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        done: Any = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=names,
            commit_message=f"{folder.parent.name}@{content_digest(folder)[:12]}",
        )
    except HFValidationError as error:
        raise HubError(f"{repository} is no name of a repository: OWNER/NAME.") from error
    except HfHubHTTPError as error:
        raise HubError(_refusal(error, repository)) from error
    except (OSError, ValueError) as error:
        raise HubError(
            f"{api.endpoint} cannot be reached ({type(error).__name__}): is HF_ENDPOINT right, is there a network?"
        ) from error
    return str(done)


def _refusal(error: Any, repository: str) -> str:
    status = error.response.status_code if error.response is not None else 0
    if status in {401, 403}:
        return f"The hub does not let you write to {repository}: set HF_TOKEN to a token that may, or hf auth login."
    return f"The hub refused {repository} with {status}."
