"""The two servers of `benchmarks.lora.drafts`, without drafts and with them, for each form of a base."""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from adapters import bases, embedded
from adapters.settings import Settings
from benchmarks.harness.longest_tokens import prefer_longest
from benchmarks.harness.models import EMBEDDED, in_eight_bits, write_models
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import running, server_command


def forms_of_base(folder: Path, args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Each form's base, made one after the other."""
    from transformers import AutoTokenizer  # heavy

    original = bases.resolve(EMBEDDED, Settings())
    if args.shape != EMBEDDED:
        written = write_models(folder, args.shape, adapters=1, seed=args.seed).base
        for path in (*original.glob("tokenizer*"), *original.glob("special*"), *original.glob("*.jinja")):
            shutil.copy(path, written / path.name)  # texts, instead of one word a token
        prefer_longest(written, AutoTokenizer.from_pretrained(written))
        original = written
    for form in args.forms:
        if form == "bf16":
            yield form, original
        elif args.shape == EMBEDDED:
            yield form, Path(served_base().folder)
        else:
            yield form, in_eight_bits(original, folder)


def pair_of_servers(args: argparse.Namespace, base: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The addresses of a server without drafts and one with them."""
    with contextlib.ExitStack() as services:
        yield {
            name: services.enter_context(running(*_server(args, base, folder, tokens, place), "/ready"))
            for place, (name, tokens) in enumerate({"off": 0, "on": args.tokens}.items())
        }


def _server(
    args: argparse.Namespace, base: Path, folder: Path, tokens: int, place: int
) -> tuple[list[str], int, dict[str, str]]:
    port = args.port + place
    registry = Path("adapters")
    if args.shape != EMBEDDED:  # none of the shipped adapters fits it
        registry = folder / f"registry-{place}"
        registry.mkdir(exist_ok=True)
    name = embedded.NAME if args.shape == EMBEDDED else "base"
    options = ("--model-name", name, "--kv-cache-gib", "1", "--max-model-len", "2048")
    return server_command(base, registry, port, *options), port, {"SERVER_DRAFT_TOKENS": str(tokens)}
