"""`python -m adapters calibrate`: teach the front how far a model's answers can be trusted.

On cards of the validation split: no person, place or font of them is in the training set or the held-out set.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from adapters.data.cards import Condition, write_all
from adapters.data.documents import DOCUMENT_NAMES
from adapters.errors import EvaluationError
from adapters.evaluation.calibration import Observed, crossed, fit
from adapters.evaluation.examples.calibrate import observe
from adapters.evaluation.kept_weights import FRONTS, keep
from adapters.evaluation.progress import counted
from adapters.evaluation.reliability import Group, figures, plot
from adapters.evaluation.run import evaluate, read_truths
from adapters.evaluation.summary import Card
from adapters.registry.option import kept_in

SEED = 31  # neither the held-out cards nor the validation cards that a training run looks at
# Cards in layouts that nothing was made for say most about cards that nobody has seen.
LEARNT: tuple[Condition, ...] = get_args(Condition)
_FEWEST_WRONG = 20


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "calibrate",
        help="fit the confidence of a model's answers on validation cards",
        description="Draw validation cards, send them to the running OCR front, and fit how likely a field is right "
        "given its evidence. Writes the weights into the revision, whose server tells them to fronts, and a plot. "
        "1,200 cards take about twenty minutes on two cores.",
    )
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", help="alias or exact revision (default: cni, or the recipe's name)")
    parser.add_argument("--count", type=int, default=50, help="cards a document and condition (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=2, help="cards at a time (default: %(default)s)")
    parser.add_argument(
        "--cards", type=Path, default=Path("runs/validation"), help="where the drawn cards lie (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, help=f"file of weights (default: the revision itself, of a shipped one {FRONTS})"
    )
    parser.add_argument(
        "--registry", type=Path, help="where the revision lies (default: SERVER_ADAPTERS_DIR, else yours)"
    )
    parser.add_argument("--recipe", type=Path, help="calibrate a document of one's own, on its examples with pictures")
    parser.add_argument("--data", type=Path, help="where the recipe's examples lie (default: beside it)")
    parser.add_argument("--range", type=int, nargs=2, help="of the recipe's first source (default: its held-out ones)")
    parser.add_argument("--report", type=Path, help="folder of the plot (default: the revision's folder)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.recipe:
        return _own(args)
    return _cards(args)


def _own(args: argparse.Namespace) -> int:
    """A document of one's own: all examples are one group."""
    with counted("reading examples", None) as done:
        rows, exact, count = observe(args.front, args.model, args.recipe, args.data, args.range, done)
    return _fitted(args, rows, np.array(["examples"] * len(rows)), exact, count, ("examples",))


def _cards(args: argparse.Namespace) -> int:
    args.model = args.model or "cni"
    count = args.count * len(LEARNT) * len(DOCUMENT_NAMES)
    if not (args.cards / "cards.jsonl").exists() or len(read_truths(args.cards)) != count:
        write_all(args.cards, args.count, seed=SEED, split="valid", conditions=LEARNT)
    truths = read_truths(args.cards)
    with counted("reading validation cards", len(truths)) as done:
        cards, exact = asyncio.run(evaluate(args.front, args.model, truths, args.concurrency, {}, done))
    return _fitted(args, *observed(cards), exact, len(cards), LEARNT)


def _fitted(
    args: argparse.Namespace, rows: list[Observed], conditions: Any, exact: str, count: int, names: Sequence[str]
) -> int:
    """Fit, keep and tell. conditions: of each row, one of `names`."""
    _enough(rows)
    fitted, sure = fit(rows), crossed(rows)
    right = np.array([row.right for row in rows], dtype=np.float64)
    groups: dict[str, Group] = {name: (sure[conditions == name], right[conditions == name]) for name in names}
    found = figures(groups)
    crossed_out = {name: {key: round(v, 5) for key, v in numbers.items()} for name, numbers in found.items()}
    told = {"cards": count, "seed": SEED, "cross_validated": crossed_out}
    where = keep(args.out, args.registry, exact, fitted, told)
    folder = args.report or kept_in(exact)
    if folder.is_dir():
        plot(groups, f"{exact}: cross-validated", folder / "calibration.png")
    for name, numbers in found.items():
        print(
            f"{name}: {numbers['fields']:.0f} fields, {numbers['right']:.1%} right, calibration error "
            f"{numbers['calibration_error']:.3f}, of the surest 90 % right {numbers['right_at_90']:.2%}"
        )
    print(where)
    return 0


def observed(cards: list[Card]) -> tuple[list[Observed], Any]:
    """Every answered field, and its card's condition. Cards that were refused have none."""
    rows, conditions = [], []
    for number, card in enumerate(cards):
        for field in card.fields:
            if field.evidence is not None:
                rows.append(Observed(number, field.evidence, field.exact))
                conditions.append(card.condition)
    return rows, np.array(conditions)


def _enough(rows: list[Observed]) -> None:
    wrong = sum(not row.right for row in rows)
    if wrong < _FEWEST_WRONG:
        raise EvaluationError(
            f"Only {wrong} of {len(rows)} fields are wrong: too few to learn from. Ask for more cards with --count."
        )
