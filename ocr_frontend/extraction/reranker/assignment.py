"""One column for each row, at the least cost in all.

The Hungarian method with potentials, O(rows² · columns): Kuhn 1955, in the form of Jonker and Volgenant 1987. The front
has no SciPy, whose 35 MB would be here for this one function; a test compares with every other assignment.
"""

from collections.abc import Sequence
from math import inf


def assign(costs: Sequence[Sequence[float]]) -> list[int]:
    """The column of each row. costs: [rows, columns], finite, at least as many columns as rows."""
    columns = len(costs[0]) if costs else 0
    row_of = [-1] * (columns + 1)  # the last one is where each search begins
    of_row, of_column = [0.0] * len(costs), [0.0] * (columns + 1)
    for row in range(len(costs)):
        row_of[columns] = row
        least, before, done = [inf] * columns, [columns] * columns, [False] * (columns + 1)
        at = columns
        while row_of[at] >= 0:
            done[at] = True
            here = row_of[at]
            for column in range(columns):
                if not done[column]:
                    cost = costs[here][column] - of_row[here] - of_column[column]
                    if cost < least[column]:
                        least[column], before[column] = cost, at
            at = min((column for column in range(columns) if not done[column]), key=least.__getitem__)
            step = least[at]
            for column in range(columns + 1):
                if done[column]:
                    of_row[row_of[column]] += step
                    of_column[column] -= step
                elif column < columns:
                    least[column] -= step
        while at != columns:
            row_of[at] = row_of[before[at]]
            at = before[at]
    found = [-1] * len(costs)
    for column in range(columns):
        if row_of[column] >= 0:
            found[row_of[column]] = column
    return found
