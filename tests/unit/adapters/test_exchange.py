"""Values on other pages and among other lines: each answer still says a value that some example has."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.given.answers import Answers
from adapters.data.given.contacts import contact
from adapters.data.given.example import Given
from adapters.data.lines import Line
from adapters.training.dataset import Labelled
from adapters.training.exchange import exchanged, surrounded
from adapters.training.targets import Target
from ocr_frontend.documents.spec import parse_spec
from tests.support.receipts import receipts

SPEC = parse_spec(yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8")))
ANSWERS = Answers(SPEC)
DRAWN = list(receipts(30, seed=8))
GIVEN = [Given(str(n), each.fields, tuple(Line(text) for text in each.texts)) for n, each in enumerate(DRAWN)]
SAMPLES = [Labelled("receipt", ANSWERS.lines(each), ANSWERS.targets(each)) for each in GIVEN]
ADDRESS = SPEC.keys.index("address")


def said(sample: Labelled, field: int) -> tuple[str, ...]:
    """The lines that the answer names for a field, or its letters."""
    target = sample.targets[field]
    if isinstance(target, int):
        return (sample.lines[target],)
    return tuple(sample.lines[n] for n in target) if isinstance(target, tuple) else (str(target),)


def test_values_move_to_pages_on_which_they_never_stood() -> None:
    known = [{said(sample, field) for sample in SAMPLES} for field in range(len(SPEC.fields))]
    together = {(said(sample, 0), said(sample, ADDRESS)) for sample in SAMPLES}
    strange = 0
    for seed in range(90):
        made = exchanged(SAMPLES[seed % 30], SAMPLES, random.Random(seed))
        assert all(said(made, field) in known[field] for field in range(len(SPEC.fields)))
        strange += (said(made, 0), said(made, ADDRESS)) not in together
    assert strange > 40


@given(st.integers(0, 10**6))
def test_lines_around_a_value_leave_every_answer_as_it_was(seed: int) -> None:
    rng = random.Random(seed)
    sample = rng.choice(SAMPLES)
    made = surrounded(sample, [ADDRESS], rng)
    assert [said(made, field) for field in range(len(SPEC.fields))] == [
        said(sample, field) for field in range(len(SPEC.fields))
    ]


def test_lines_around_a_value_are_new_ones_and_go_no_further() -> None:
    sample = Labelled(
        "receipt", ("SHOP", "TEL: 1", "STREET 1", "TOWN", "GST", "A", "B", "C", "D"), (0, None, (2, 3), 8)
    )
    made = [surrounded(sample, [2], random.Random(seed)) for seed in range(60)]
    assert len({each.lines for each in made}) > 40
    assert all(each.lines[0] == "SHOP" and each.lines[-2:] == ("C", "D") for each in made)
    assert any("TEL: 1" not in each.lines for each in made) and any("GST" not in each.lines for each in made)


@pytest.mark.parametrize("target", [None, "9.00", (4, 2), (1, 3)])
def test_what_is_no_block_of_lines_stays(target: Target) -> None:
    sample = Labelled("receipt", ("SHOP", "A", "B", "C", "TOTAL 9.00"), (0, None, target, None))
    assert exchanged(sample, [sample], random.Random(1)) == sample


def test_contacts_are_many_and_none_is_blank() -> None:
    made = [contact(random.Random(seed)) for seed in range(400)]
    assert len(set(made)) > 380
    assert all(text.strip() == text and len(text) > 4 for text in made)
