"""Gradient-boosted trees, as `python -m adapters rerank` wrote them: a sum of leaves, log-odds that a set is right.

Friedman 2001; learnt by scikit-learn's HistGradientBoostingClassifier, whose missing values go left or right by node.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr_frontend.extraction.reranker.features import VERSION

SHIPPED = Path(__file__).with_name("trees.json")

Table = NDArray[np.float64]


class TreesError(Exception):
    """One sentence that names the file and what is wrong with it."""


class Trees:
    """names: of the features, in their order. The nodes of all trees stand one after the other.

    feature: -1 at a leaf; threshold: what is not larger goes left; left, right: nodes; missing_left: where NaN goes;
    value: of a leaf; roots: one a tree; deepest: steps from a root to the farthest leaf.
    """

    def __init__(self, body: dict[str, object]) -> None:
        self.names = tuple(str(name) for name in _list(body, "names"))
        self.baseline = float(str(body["baseline"]))
        nodes = np.array(_list(body, "nodes"), dtype=np.float64)
        self._feature, self._left, self._right = (nodes[:, at].astype(np.intp) for at in (0, 2, 3))
        self._threshold, self._value, self._missing_left = nodes[:, 1], nodes[:, 5], nodes[:, 4] > 0
        self._roots = np.array(_list(body, "roots"), dtype=np.intp)
        self._deepest = int(str(body["deepest"]))

    def log_odds(self, rows: Table) -> Table:
        """rows: [sets, features]; one number each."""
        at = np.tile(self._roots, len(rows))
        numbers, values = np.repeat(np.arange(len(rows)) * rows.shape[1], len(self._roots)), rows.ravel()
        going = np.flatnonzero(self._feature[at] >= 0)  # most trees end long before the deepest one
        for _ in range(self._deepest):
            if not going.size:
                break
            node = at[going]
            value = values[numbers[going] + self._feature[node]]
            left = np.where(np.isnan(value), self._missing_left[node], value <= self._threshold[node])
            after = np.where(left, self._left[node], self._right[node])
            at[going] = after
            going = going[self._feature[after] >= 0]
        found: Table = self._value[at].reshape(len(rows), -1).sum(axis=1) + self.baseline
        return found


def load_trees(path: Path = SHIPPED) -> Trees:
    """Raises TreesError."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["features"] != VERSION:
            raise TreesError(f"{path} is of features of version {body['features']}: make it anew with adapters rerank.")
        return Trees(body)
    except OSError as error:
        raise TreesError(f"The reranker's trees {path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise TreesError(f"{path} holds no trees: write them with python -m adapters rerank.") from None


def _list(body: dict[str, object], name: str) -> list[object]:
    found = body[name]
    if not isinstance(found, list) or not found:
        raise ValueError(name)
    return found
