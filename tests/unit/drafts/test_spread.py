"""Each drafted row has its request's own sampling parameter."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from server.drafts.sampling import spread


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.7, 1.0]), st.integers(0, 5)), min_size=1, max_size=8))
def test_a_value_stands_in_each_row_of_its_request(requests: list[tuple[float, int]]) -> None:
    temperatures = torch.tensor([value for value, _ in requests])
    ends = torch.tensor([rows for _, rows in requests]).cumsum(0).to(torch.int32)
    wanted = [value or 1.0 for value, rows in requests for _ in range(rows)]
    found = spread(temperatures, ends, len(wanted), replace_from=0, replace_to=1)
    assert found.dtype == temperatures.dtype
    assert found.tolist() == torch.tensor(wanted).tolist()


def test_whole_numbers_stay_whole() -> None:
    assert spread(torch.tensor([5, 7]), torch.tensor([2, 3]), 3).tolist() == [5, 5, 7]
