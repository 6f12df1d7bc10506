"""`python -m adapters kinds`: teach the front to tell names, places and trades by their letters.

From the words of the training split alone, so that what is measured on other cards is told of words never seen.
"""

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adapters.data.people import full_name, given_names, official_name, surname
from adapters.data.vocabulary import Split, place, profession
from adapters.evaluation.progress import learning
from ocr_frontend.documents.text_kinds import BUCKETS, KINDS, SHIPPED, buckets

SEED = 0
_EACH, _PENALTY, _STEPS = 4000, 1.0, 400  # so few that words of the split are not known much better than others
_OFFICIALS = 0.3  # of whole names


def _whole(rng: random.Random, split: Split) -> str:
    return official_name(rng, split) if rng.random() < _OFFICIALS else full_name(rng, split)


_DRAWN: dict[str, Callable[[random.Random, Split], str]] = {
    "surname": surname, "given": given_names, "full": _whole, "place": place, "work": profession,
}  # fmt: skip


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "kinds",
        help="learn what a text is (a name, a place, a trade) by its letters",
        description="Fit what the reranker knows of words on texts drawn from the training split's. Make the choices "
        "and the trees anew afterwards (make rerank).",
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the weights (default: %(default)s)")
    parser.set_defaults(run=_run)


def drawn(seed: int, split: Split, each: int) -> list[tuple[str, str]]:
    """(kind, text), `each` of every kind."""
    rng = random.Random(f"kinds:{seed}:{split}")
    return [(kind, _DRAWN[kind](rng, split)) for _ in range(each) for kind in KINDS]


def _run(args: argparse.Namespace) -> int:
    with learning():
        from sklearn.linear_model import LogisticRegression
    texts = drawn(SEED, "train", _EACH)
    model = LogisticRegression(C=_PENALTY, max_iter=_STEPS).fit(_table([t for _, t in texts]), [k for k, _ in texts])
    rows = dict(zip(model.classes_, zip(model.coef_, model.intercept_, strict=True), strict=True))
    body = {
        "biases": {kind: round(float(rows[kind][1]), 4) for kind in KINDS},
        "weights": {kind: [round(100 * float(each)) for each in rows[kind][0]] for kind in KINDS},
    }
    args.out.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8")
    unseen = drawn(SEED, "valid", _EACH // 4)
    right = model.score(_table([t for _, t in unseen]), [k for k, _ in unseen])
    print(f"{args.out}: the kind of {right:.1%} of texts in words of the validation split is told")
    return 0


def _table(texts: Sequence[str]) -> Any:
    """[texts, buckets], as the front weighs them."""
    from scipy.sparse import csr_matrix

    found = [buckets(text) for text in texts]
    at = [(row, bucket) for row, each in enumerate(found) for bucket in each]
    values = [len(found[row]) ** -0.5 for row, _ in at]
    return csr_matrix((values, tuple(zip(*at, strict=True))), (len(texts), BUCKETS))
