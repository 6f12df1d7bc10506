"""How wide the gaps between a line's characters are, by its ink: what tells a narrow space from letters set apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_MARKED = 3  # pixels of a column that differ from paper where there is ink: fewer are noise
_INK = 95  # percentile of columns that surely have ink
_EMPTY = 0.35  # of such a column's difference, below which a column has none
_NARROW = ((0.1, 1.3, 1.0), (0.02, 2.5, 1.2))  # least probability of a space; times the middle gap, and the widest
LEAST = min(least for least, _, _ in _NARROW)


def used_columns(line: Floats) -> int:
    """Columns up to the padding on the right: no pixel of a picture is normalized to exactly zero. At least one."""
    filled = np.flatnonzero(line[0, 0])
    return int(filled[-1]) + 1 if filled.size else 1


def gap_widths(line: Floats, between: Sequence[tuple[int, int]], steps: int) -> list[int]:
    """Columns of the widest run without ink between the first step of a character and the last step of the next one.

    line: (3, height, width), as recognition sees it, zeros where it is padded; between: those steps, of `steps` in all.
    """
    wide = line.shape[2] / max(1, steps)
    grey = line[:, :, : used_columns(line)].mean(axis=0)
    differing = np.abs(grey - np.median(grey))
    marked = np.partition(differing, -_MARKED, axis=0)[-_MARKED]
    empty = marked < _EMPTY * max(float(np.percentile(marked, _INK)), 1e-6)
    return [_longest(empty[int(first * wide) : int((last + 1) * wide)]) for first, last in between]


def stands_out(width: int, others: Sequence[int], likely: float) -> bool:
    """Whether a gap is one between words: wider than all others of the line, and than their middle. likely: the
    probability of a space there, of which the less is asked the wider the gap is. The counts are in the lab notes."""
    usual, widest = max(1.0, float(np.median(others))), max(others)
    return any(likely >= least and width >= times * usual and width >= more * widest for least, times, more in _NARROW)


def _longest(empty: npt.NDArray[np.bool_]) -> int:
    """The longest run of true values."""
    ends = np.flatnonzero(~np.concatenate(([False], empty, [False])))
    return int(np.diff(ends).max()) - 1
