"""`python -m adapters rerank`: teach the front which lines say a field, from drawn cards that it has read.

The trees weigh numbers that are about fields, labels and lines as such (`ocr_frontend.extraction.reranker.features`).
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adapters.data.align import COVER, coverage, part_of
from adapters.data.documents import fields_of
from adapters.data.json_lines import rows
from adapters.data.lines import polygon_of
from adapters.errors import EvaluationError
from adapters.evaluation.metrics import written
from adapters.evaluation.progress import learning
from ocr_frontend.documents.evidence import RISING

SEED = 0
_TREES, _LEAVES, _RATE, _FEWEST, _L2 = 700, 24, 0.06, 20, 1.0  # as many as chosen on cards of the validation split
_DIGITS = 6


@dataclass(frozen=True)
class Labelled:
    """One set of lines of one field; right: it says the value, or it is the lines where the value stands."""

    features: Mapping[str, float]
    right: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "rerank",
        help="learn which lines say a field, from drawn cards that the front has read",
        description="Fit the reranker's trees on folders of cards, each with the choices.jsonl.gz that "
        "`python -m ocr_frontend choices` wrote beside them. The front loads them at its next start.",
    )
    parser.add_argument("folders", type=Path, nargs="+", help="folders with cards.jsonl and choices.jsonl.gz")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("ocr_frontend/extraction/reranker/trees.json"),
        help="the trees (default: %(default)s)",
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    with learning():
        from sklearn.ensemble import HistGradientBoostingClassifier
    labelled, version = read(args.folders)
    names = sorted({name for each in labelled for name in each.features})
    table = np.array([[each.features.get(name, np.nan) for name in names] for each in labelled])
    right = np.array([each.right for each in labelled])
    model = HistGradientBoostingClassifier(
        max_iter=_TREES, max_leaf_nodes=_LEAVES, learning_rate=_RATE, min_samples_leaf=_FEWEST,
        l2_regularization=_L2, random_state=SEED, early_stopping=False,
        monotonic_cst=[RISING.get(name, 0) for name in names],
    ).fit(table, right)  # fmt: skip
    body = {"features": version, "sets": len(labelled), "names": names, **as_nodes(model)}
    args.out.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{args.out} holds {len(body['roots'])} trees of {len(labelled)} sets of lines ({right.mean():.1%} right)")
    return 0


def read(folders: Sequence[Path]) -> tuple[list[Labelled], int]:
    """Every set of every card, and the version of their features. Raises DataError, EvaluationError."""
    found, versions = list[Labelled](), set[int]()
    for folder in folders:
        truths = {entry["file"]: entry for _, entry in rows(folder / "cards.jsonl", "python -m adapters cards")}
        for _, card in rows(folder / "choices.jsonl.gz", "python -m ocr_frontend choices"):
            versions.add(card["version"])
            if card["document"] == truths[card["file"]]["document"]:
                found += _labelled(card, truths[card["file"]])
    if len(versions) != 1:
        raise EvaluationError("The choices are of no or of several versions: make them anew with ocr_frontend choices.")
    return found, versions.pop()


def as_nodes(model: Any) -> dict[str, Any]:
    """The trees as numbers: each node's feature (-1 a leaf), threshold, left, right, whether NaN goes left, value."""
    nodes, roots, deepest = list[list[float]](), list[int](), 0
    for (tree,) in model._predictors:
        first = len(nodes)
        roots.append(first)
        for node in tree.nodes:
            leaf = bool(node["is_leaf"])
            deepest = max(deepest, int(node["depth"]))
            value = round(float(node["value"]), _DIGITS) if leaf else 0.0
            split = [-1, 0.0, 0, 0, 0] if leaf else [
                int(node["feature_idx"]), float(node["num_threshold"]), first + int(node["left"]),
                first + int(node["right"]), int(node["missing_go_to_left"]),
            ]  # fmt: skip
            nodes.append([*split, value])
    baseline = round(float(np.ravel(model._baseline_prediction)[0]), _DIGITS)
    return {"baseline": baseline, "deepest": deepest, "roots": roots, "nodes": nodes}


def _labelled(card: Mapping[str, Any], truth: Mapping[str, Any]) -> Iterator[Labelled]:
    boxes = [polygon_of(box) for box in card["boxes"]]
    for key, kind in fields_of(card["document"]).items():
        value, polygon, printed = truth["values"][key], truth["polygons"].get(key), truth["printed"].get(key)
        sets, here = card["fields"][key], set[int]()
        if value is not None and polygon is not None and printed:
            says = {each["lines"][0]: str(each["value"]) for each in sets if len(each["lines"]) == 1}
            place = polygon_of(polygon)
            here = {n for n, text in says.items() if coverage(place, boxes[n]) >= COVER and part_of(text, printed)}
        for each in sets:
            yield Labelled(each["features"], written(kind, each["value"]) == value or set(each["lines"]) == here)
