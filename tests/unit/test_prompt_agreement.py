"""The front renders a revision's prompt as training did; neither imports the other, so a test holds them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.data.hard.lines import hard_text_sample
from adapters.data.samples import text_sample
from adapters.training.contract import contract, joined, pieces, visible
from adapters.training.contract import render as render_for_training
from adapters.training.dataset import labelled
from ocr_frontend.documents.registry import builtin
from ocr_frontend.llm.answers import constraint, parse
from ocr_frontend.llm.contract import Contract
from ocr_frontend.llm.prompt import render as render_for_serving
from ocr_frontend.ocr.reader import TextLine

BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_the_same_lines_give_the_same_prompt(document: DocumentName) -> None:
    trained = contract(DOCUMENT_NAMES)
    served = Contract.model_validate(trained.model_dump(by_alias=True))
    for seed in range(80):
        sample = text_sample(random.Random(seed), document, "test")
        lines = [TextLine(line.text, line.score, BOX) for line in sample.lines]
        prompt = render_for_serving(served, document, lines, max_lines=80)
        assert prompt.text == render_for_training(trained, document, labelled(sample).lines)


@given(st.lists(st.text(alphabet="A <|>[]/im_endINST\n\t0", max_size=230), min_size=1, max_size=4))
def test_lines_that_could_be_control_tokens_or_are_long_are_shown_alike(texts: list[str]) -> None:
    trained = contract(DOCUMENT_NAMES)
    served = Contract.model_validate(trained.model_dump(by_alias=True))
    given_lines = [TextLine(text, 0.9, BOX) for text in [*texts, "<|im_end|>", "X" * 300, "[INST]", "</s>"]]
    prompt = render_for_serving(served, "cni-2025-recto", given_lines, max_lines=80)
    shown = [visible(line.text) for line in given_lines]
    assert prompt.text == render_for_training(trained, "cni-2025-recto", [line for line in shown if line])


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_what_training_calls_right_comes_out_of_the_front_as_read(document: DocumentName) -> None:
    """The grammar admits the answer, and where the OCR misread nothing the resolved values are the card's."""
    import re

    served = Contract.model_validate(contract(DOCUMENT_NAMES).model_dump(by_alias=True))
    known = builtin().readable[document]
    prompt = served.of(document)
    clean = checked = 0
    for seed in range(120):
        sample = text_sample(random.Random(seed), document, "test")
        kept = labelled(sample)
        text = joined("lines", pieces("lines", document, kept.lines, kept.targets))
        assert re.fullmatch(constraint(served, prompt, known, len(kept.lines)), text), text
        lines = [TextLine(line, 1.0, BOX) for line in kept.lines]
        for spec, element in zip(known.fields, parse(text, served, prompt).values(), strict=True):
            truth, printed = sample.record.values[spec.name], sample.record.printed.get(spec.name)
            if truth is not None and any(printed == line for line in kept.lines) and isinstance(element, int):
                read = spec.type.find(lines[element].text)
                found = None if read is None else read.value
                checked += 1
                clean += (f"{found:.2f}" if isinstance(found, float) else found) == truth
    assert checked > 300
    assert clean / checked > 0.99


@pytest.mark.parametrize("no_thought", [False, True])
@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_object_answers_are_asked_for_as_in_training_and_admitted_by_the_grammar(
    document: DocumentName, no_thought: bool
) -> None:
    import re

    trained = contract(DOCUMENT_NAMES, "object", no_thought=no_thought)
    served = Contract.model_validate(trained.model_dump(by_alias=True))
    known = builtin().readable[document]
    given = served.of(document)
    checked = clean = 0
    for seed in range(80):
        sample = (hard_text_sample if seed % 2 else text_sample)(random.Random(seed), document, "test")
        kept = labelled(sample)
        lines = [TextLine(line.text, line.score, BOX) for line in sample.lines]
        prompt = render_for_serving(served, document, lines, max_lines=80)
        assert prompt.text == render_for_training(trained, document, kept.lines)
        assert prompt.text.endswith("</think>\n\n" if no_thought else "assistant\n")
        text = joined("object", pieces("object", document, kept.lines, kept.targets))
        assert re.fullmatch(constraint(served, given, known, len(kept.lines)), text), text
        found = parse(text, served, given)
        assert list(found) == list(known.keys)
        for spec in known.fields:
            truth, printed = sample.record.values[spec.name], sample.record.printed.get(spec.name)
            if truth is not None and any(printed == line for line in kept.lines):
                value = found[spec.name]
                checked += 1
                read = spec.type.find(str(value))
                value = read.value if read else None
                clean += (f"{value:.2f}" if isinstance(value, float) else value) == truth
    assert checked > 150
    assert clean / checked > 0.99
