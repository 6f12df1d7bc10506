"""The model card of a revision by the hub's convention: README.md with its metadata as YAML in front.

It is made of what lies beside it (manifest.json, evaluation.json), so it can be made anew at any time, and it is no
part of the revision's content: the name of a revision does not change with it.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters import embedded
from adapters.data.documents import DOCUMENT_NAMES
from adapters.errors import HubError
from adapters.hub.card_results import read_json, results
from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE

CARD = "README.md"
_TAG = "cni-lora-server"  # by which a card of ours is known: another one is never written over
_HUB_NAMES = {embedded.NAME: f"HuggingFaceTB/{embedded.NAME}"}

_OF_EMBEDDED = (
    f"It was trained and measured on the embedded base: {_HUB_NAMES[embedded.NAME]} out of four bits (GGUF Q4_1), as "
    "`make up` makes it. On the hub's own weights it runs, and nobody has measured how well; the server tells the two "
    "apart and takes it for the embedded one alone.\n\n"
)

_SNIPPET = """\
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base, adapter = "{base}", "."  # or OWNER/NAME on a hub
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("card", help="write the model card of a revision (README.md beside it)")
    parser.add_argument("folder", type=Path, help="of the revision, for example adapters/cni/fa4130d23aa6")
    parser.add_argument(
        "--license", help="an identifier of the hub, for example apache-2.0 (default: the card's so far)"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if not (args.folder / CONFIG_FILE).is_file():
        raise HubError(f"{args.folder} is no adapter: it has no {CONFIG_FILE}.")
    if not write_card(args.folder, args.license):
        raise HubError(f"{args.folder / CARD} was written by somebody else: move it away first.")
    print(args.folder / CARD)
    return 0


def write_card(folder: Path, license: str | None = None) -> bool:
    """Write or renew the card; False where one lies there that is not of ours. Raises OSError."""
    path = folder / CARD
    before = _metadata(path)
    if path.exists() and _TAG not in before.get("tags", ()):
        return False
    path.write_text(card(folder, license or before.get("license")), encoding="utf-8")
    return True


def card(folder: Path, license: str | None) -> str:
    """The whole text."""
    from huggingface_hub import ModelCardData

    manifest, config = read_json(folder / MANIFEST_FILE), read_json(folder / CONFIG_FILE)
    name = manifest.get("name") or folder.parent.name
    base = manifest.get("base", {}).get("name") or config.get("base_model_name_or_path", "unknown")
    documents = set((manifest.get("prompt") or {}).get("documents", {}))
    measured = results(folder, name)
    data = ModelCardData(
        model_name=name,
        base_model=_on_hub(base),
        library_name="peft",
        pipeline_tag="text-generation",
        license=license,
        language=["fr", "en"] if documents and documents <= set(DOCUMENT_NAMES) else None,
        tags=["lora", _TAG],
        eval_results=list(measured.metadata) or None,
    )
    parts = [
        f"# {name}, a LoRA adapter",
        f"Revision `{manifest.get('revision') or folder.name}` for the base `{base}`. " + _asked(manifest),
        _use(name, base),
        measured.text,
        _training(manifest),
        _limits(manifest),
    ]
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def _asked(manifest: Mapping[str, Any]) -> str:
    contract = manifest.get("prompt")
    if not contract:
        return "It has no contract: the OCR front asks it in its own words."
    form = "numbers of OCR lines" if contract.get("answer") == "lines" else "a JSON object"
    documents = ", ".join(contract.get("documents", {})) or "any document"
    return (
        f"It answers {form} for: {documents}. How it is asked, to the character, stands in `prompt` of "
        f"`{MANIFEST_FILE}`."
    )


def _on_hub(base: str) -> str:
    return _HUB_NAMES.get(base, base)


def _use(name: str, base: str) -> str:
    return (
        "## Use\n\nWith cni-lora-server, which serves it beside others on one base:\n\n"
        f"```\npython -m adapters registry add {name} hf://OWNER/NAME --base BASE_FOLDER\n```\n\n"
        f"{_OF_EMBEDDED if base == embedded.NAME else ''}"
        "With transformers and PEFT, in this folder:\n\n"
        f"```python\n{_SNIPPET.format(base=_on_hub(base))}```"
    )


def _training(manifest: Mapping[str, Any]) -> str:
    recipe = manifest.get("recipe")
    if not recipe:
        return ""
    lora, versions = recipe.get("lora", {}), manifest.get("versions", {})
    return (
        f"## Training\n\nMethod {recipe.get('method', 'lora')}, rank {lora.get('r')}, alpha {lora.get('alpha')}, on "
        f"{', '.join(lora.get('targets', []))}; {manifest.get('samples', '?'):,} samples, seed {manifest.get('seed')}; "
        f"{', '.join(f'{what} {which}' for what, which in versions.items())}. The whole recipe: `{MANIFEST_FILE}`."
    )


def _limits(manifest: Mapping[str, Any]) -> str:
    drawn = "recipe" in manifest and set(manifest.get("prompt", {}).get("documents", {})) <= set(DOCUMENT_NAMES)
    origin = str(manifest.get("recipe", {}).get("data", {}).get("origin") or "")
    data = (
        "Training and test cards are drawn and their people invented; photos are simulated. No real card was seen or "
        "measured."
        if drawn
        else f"Trained on: {origin}"
        if origin
        else "What it was trained on is not told here."
    )
    return (
        f"## Data and limits\n\n{data} Measure on your own documents, with consent, and let a person check what "
        "decides about a person."
    )


def _metadata(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    from huggingface_hub import ModelCard

    found: dict[str, Any] = ModelCard.load(path).data.to_dict()
    return found
