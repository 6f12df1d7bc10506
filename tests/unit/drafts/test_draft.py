"""From guesses to tokens: what a grammar forces, how the tokenizer cuts it, and when a draft is worth its rows."""

from collections.abc import Sequence

import pytest
import xgrammar
from hypothesis import given, settings
from hypothesis import strategies as st

from server.drafts.budget import Budget
from server.drafts.memory import Memory
from server.drafts.page import read_page
from server.drafts.request import Drafter, Words
from server.drafts.walk import draft_text, draft_tokens

VOCABULARY = ["</s>", *map(chr, range(32, 127)), '":', '",', "na", "me", "NGO", "12"]
PROMPT = "keys\n- name\nNAME\nNGO\nAGE\n12\n"
FORM = r'\{"name": ?(?:null|"[^"]*"), ?"age": ?(?:null|[0-9]+)\}'


def encode(text: str) -> list[int]:
    """The longest token first."""
    ids = []
    while text:
        token = max((token for token in VOCABULARY[1:] if text.startswith(token)), key=len)
        ids.append(VOCABULARY.index(token))
        text = text[len(token) :]
    return ids


def decode(ids: Sequence[int]) -> str:
    return "".join(VOCABULARY[number] for number in ids if number)


WORDS = Words(encode, decode)


@pytest.fixture(scope="module")
def compiled() -> xgrammar.CompiledGrammar:
    info = xgrammar.TokenizerInfo(VOCABULARY, stop_token_ids=[0])
    return xgrammar.GrammarCompiler(info, max_threads=1).compile_regex(FORM)


def drafter(tokens: int = 16) -> Drafter:
    return Drafter(read_page(PROMPT), Memory(), WORDS, Budget(tokens))


def test_forced_and_guessed_text_follow_each_other(compiled: xgrammar.CompiledGrammar) -> None:
    matcher = xgrammar.GrammarMatcher(compiled)
    drafted = draft_text("", matcher, lambda answer: [" null", "12"] if answer.endswith(":") else ["no", ""], 8)
    assert drafted.text == '{"name": null,', "the grammar took none of the guesses behind it"
    assert drafted.sure == len('{"name":')
    assert draft_text("", None, lambda _: ["ab"], 1).text == "ababab"
    assert draft_text("", None, lambda _: [], 8).text == ""


def test_an_answer_is_drafted_to_its_end(compiled: xgrammar.CompiledGrammar) -> None:
    whole = '{"name": "NGO", "age": 12}'
    ids, one, steps = encode(whole), drafter(), 0
    done = ids[:1]
    while len(done) < len(ids):
        matcher = xgrammar.GrammarMatcher(compiled)
        assert all(matcher.accept_token(token) for token in done)
        draft = one.propose(done, matcher, 1, 100)
        right = 0
        while right < len(draft) and done + draft[: right + 1] == ids[: len(done) + right + 1]:
            right += 1
        done, steps = ids[: len(done) + right + 1], steps + 1
    assert decode(done) == whole and steps <= 3
    one.finish(done)
    assert one.memory.share > 0.9


@settings(deadline=None)
@given(st.data())
def test_drafts_are_what_the_grammar_allows(compiled: xgrammar.CompiledGrammar, data: st.DataObject) -> None:
    """After any beginning that the grammar allows, token by token as a model might choose it."""
    matcher, done = xgrammar.GrammarMatcher(compiled), []
    mask = xgrammar.allocate_token_bitmask(1, len(VOCABULARY))
    for _ in range(data.draw(st.integers(1, 25))):
        matcher.fill_next_token_bitmask(mask)
        allowed = [token for token in range(1, len(VOCABULARY)) if int(mask[0, token // 32]) >> (token % 32) & 1]
        if not allowed:
            break
        done.append(data.draw(st.sampled_from(allowed)))
        assert matcher.accept_token(done[-1])
    room = data.draw(st.integers(-1, 20))
    draft = drafter().propose(done, matcher.fork(), 1, room)
    assert len(draft) <= max(room, 0)
    assert all(matcher.accept_token(token) for token in draft)


@given(st.text(alphabet='name12 NGO":,', max_size=12), st.text(alphabet='name12 NGO":,', max_size=12))
def test_drafts_are_cut_as_the_whole_would_be(answer: str, text: str) -> None:
    ids = encode(answer)
    tokens = draft_tokens(answer, ids, text, encode, 99)
    assert decode(tokens) == text
    if encode(answer + text)[: len(ids)] == ids:
        assert ids + tokens == encode(answer + text)
    assert draft_tokens(answer, ids, text, encode, 2) == tokens[:2]


def test_characters_that_are_not_whole_wait() -> None:
    one = Drafter(read_page(PROMPT), Memory(), Words(encode, lambda _: "\ufffd"), Budget(8))
    assert one.propose([1, 2], None, 1, 9) == []


def test_drafts_that_do_not_come_true_end_and_are_tried_again() -> None:
    one = drafter(4)
    done = encode('{"name": ')
    for _ in range(100):
        assert one.propose(done, None, 1, 9) or one.memory.share < 0.2
        done = [*done, 5]
        if not one.propose(done, None, 8, 9) and one.memory.share < 0.6:
            break
        done = encode('{"name": ')
    else:
        raise AssertionError("it never learns")
    for _ in range(2000):
        one.memory.skip()
    assert one.propose(encode('{"name": '), None, 8, 9)


def test_the_more_requests_the_fewer_drafts() -> None:
    budget = Budget(8)
    assert [budget.most(running) for running in (1, 7, 8, 16, 32, 64)] == [8, 8, 7, 3, 1, 0]
    assert budget.trusts(0.1, 1) and not budget.trusts(0.1, 2)
    assert budget.trusts(0.9, 100) and not budget.trusts(0.8, 100)
    assert Budget(0).most(1) == 0
