"""`python -m adapters cards`."""

import argparse
from pathlib import Path

from adapters.data.cards import CHOICES, write_cards
from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.vocabulary import SPLITS


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`python -m adapters cards`."""
    parser = subparsers.add_parser(
        "cards",
        help="draw synthetic SPECIMEN cards with their truth",
        description="Draws cards of invented persons; what each says, and where, goes to cards.jsonl beside them.",
        epilog="The same seed, split and index always give the same card, whatever the count.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the images and cards.jsonl")
    parser.add_argument("--count", type=_positive, default=20, help="number of cards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cards (default: %(default)s)")
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="train",
        help="whose names, places, professions and fonts; the three share none (default: %(default)s)",
    )
    parser.add_argument(
        "--condition",
        choices=tuple(CHOICES),
        default="clean",
        help="as printed, as a phone's photo, badly photographed in other layouts (hard), the same laid out and worded "
        "anew each time (varied), with what comes over cards (stamped), in narrow columns (narrow), the first two in "
        "turn (both), or the first three (default: %(default)s)",
    )
    parser.add_argument(
        "--document",
        choices=DOCUMENT_NAMES,
        action="append",
        help="only this document; may be given again (default: all four in turn)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draws the cards that the command line asks for."""
    write_cards(
        args.out,
        args.count,
        seed=args.seed,
        split=args.split,
        conditions=CHOICES[args.condition],
        documents=tuple(args.document or DOCUMENT_NAMES),
    )
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value
