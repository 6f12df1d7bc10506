"""The loop runs the runbook's own commands, its person corrects what is wrong, and nothing that is lost goes unseen."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import yaml

from adapters.data.given.example import Given
from adapters.registry.canonical import file_sha256
from adapters.registry.manifest import read_manifest
from adapters.registry.validate import check_content, check_structure
from benchmarks.registry import loop_revisions, loop_rounds
from benchmarks.registry.loop_revisions import lay_out, noise
from benchmarks.registry.loop_rounds import Loop, compared
from benchmarks.registry.loop_runbook import PAGE, Runbook, filled, steps
from benchmarks.registry.loop_traffic import Person, Tally, Traffic
from ocr_frontend.documents.spec import parse_spec
from tests.support.receipts import receipts, write_folder
from tests.support.tiny_models import write_adapter

SPEC = parse_spec(yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8")))
NAMES = {
    "bill": "receipt", "OLD": "aaaa", "NEW": "bbbb",
    "http://127.0.0.1:8080": "http://127.0.0.1:1", "http://127.0.0.1:8000": "http://127.0.0.1:2",
}  # fmt: skip


def test_the_page_has_the_commands_that_the_loop_runs_in_both_languages() -> None:
    found = steps(PAGE.read_text("utf-8"))
    assert [len(step) for step in found] == [2, 2, 2, 3, 1]
    french = PAGE.with_suffix(".fr.md").read_text("utf-8")
    assert steps(french)[:4] == found[:4]


def test_names_addresses_and_shares_are_put_into_a_command_and_nothing_else() -> None:
    found = steps(PAGE.read_text("utf-8"))
    commands = [filled(command, NAMES, 10) for step in found for command in step]
    assert not any(word in command for word in ("bill", "OLD", "NEW", ":80", "$") for command in commands)
    assert filled(found[2][0], NAMES, 40) == "python -m adapters registry switch receipt aaaa=60 bbbb=40"
    assert '-d \'{"split": {"aaaa": 90, "bbbb": 10}}\' http://127.0.0.1:2/v1/adapters/receipt' in commands[5]
    assert commands[8].endswith(
        "--floor runs/old/examples-given-lines.json && python -m adapters registry switch receipt bbbb"
        " || python -m adapters registry rollback receipt"
    )


def test_a_command_that_fails_is_named_and_one_that_may_is_not(tmp_path: Path) -> None:
    book = Runbook(tmp_path, "receipt", "http://127.0.0.1:1", "http://127.0.0.1:2")
    assert book.other("exit 3", may=(0, 3)) == 3
    with pytest.raises(RuntimeError, match="ended with 2: why"):
        book.other("echo why >&2; exit 2")


def test_a_recipe_is_read_where_it_is_laid_out(tmp_path: Path) -> None:
    write_folder(tmp_path / "data/receipts", 3)
    recipe = lay_out(tmp_path, tmp_path / "data", 3, quick=True)
    assert recipe.name == "receipt" and recipe.stop_after == 2 and recipe.data.held_out[0].range == (400, 403)
    assert (tmp_path / "receipt/receipts/key/000.json").is_file()


def test_noise_passes_every_check_of_a_file(tmp_path: Path) -> None:
    base = {"name": "tiny", "fingerprint": "0" * 64, "architecture": "Qwen3ForCausalLM", "hidden_size": 64, "layers": 2}
    weights = write_adapter(tmp_path / "good", seed=1) / "adapter_model.safetensors"
    described = {"name": "receipt", "revision": "0" * 12, "base": base, "sha256": file_sha256(weights)}
    (tmp_path / "good/manifest.json").write_text(json.dumps(described), encoding="utf-8")
    bad = noise(tmp_path / "good", tmp_path / "bad", 0)
    check_structure(bad)
    check_content(bad, read_manifest(bad), None)
    assert (bad / weights.name).read_bytes() != weights.read_bytes()


def test_only_what_differs_by_letters_is_corrected_and_as_the_page_prints_it() -> None:
    receipt = next(receipts(1))
    wanted = dict(receipt.fields)
    printed = [text.title() for text in receipt.texts]
    person = Person(SPEC)
    assert person.puts_right(wanted, printed, {key: value.lower() for key, value in wanted.items()}) == {}
    fields = person.puts_right(wanted, printed, {**wanted, "address": "ELSEWHERE", "total": None})
    assert fields["total"] == wanted["total"] and set(fields) == {"address", "total"}
    assert fields["address"] == wanted["address"].title()
    assert person.puts_right(wanted, ["nothing of it"], {**wanted, "total": "1"}) == {"total": wanted["total"]}


def answer(revision: str, **values: Any) -> httpx.Response:
    body = {"id": "1", "model": f"receipt@{revision}", "data": values, "ocr": {"lines": [{"text": "TOTAL 9.00"}]}}
    return httpx.Response(200, json=body)


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code}}, headers={"Retry-After": "0"})


@pytest.mark.parametrize(
    ("replies", "lost", "refused"),
    [
        ([refusal(502, "invalid_answer"), answer("a", total="9.00")], 0, {"502 invalid_answer": 1}),
        ([refusal(503, "busy"), answer("a", total="9.00")], 0, {"503 busy": 1}),
        ([refusal(500, "internal")], 1, {"500 internal": 1}),
        ([refusal(502, "invalid_answer")] * 8, 1, {"502 invalid_answer": 8}),
        ([httpx.ConnectError("away")], 1, {}),
    ],
)
def test_a_picture_is_lost_unless_it_is_answered_in_the_end(
    tmp_path: Path, replies: list[Any], lost: int, refused: dict[str, int]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    turns = iter(replies)

    def serve(request: httpx.Request) -> httpx.Response:
        reply = next(turns)
        if isinstance(reply, Exception):
            raise reply
        return cast(httpx.Response, reply)

    client = httpx.Client(transport=httpx.MockTransport(serve), base_url="http://front")
    pictures = [Given("a", {"total": "9.00"}, picture=tmp_path / "a.jpg")]
    tally = Traffic(client, "receipt", SPEC, pictures, at_once=1).send(1, correct=True)
    assert (tally.lost, dict(tally.refused), next(turns, None)) == (lost, refused, None)
    assert sum(tally.answered.values()) == 1 - lost


def test_corrections_go_to_the_answer_that_was_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    sent = []

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            sent.append((request.url.path, request.read()))
            return httpx.Response(200, json={})
        return answer("b", total="8.00")

    client = httpx.Client(transport=httpx.MockTransport(serve), base_url="http://front")
    pictures = [Given("a", {"total": "9.00"}, picture=tmp_path / "a.jpg")]
    tally = Traffic(client, "receipt", SPEC, pictures, at_once=2).send(3, correct=True)
    assert tally.answered == tally.corrected == {"b": 3} and tally.fields_corrected == 3
    assert sent == [("/v1/results/1", b'{"fields":{"total":"9.00"}}')] * 3


def scores(f1: float) -> dict[str, Any]:
    return {"examples": 7, "rows": [{"f1": 0.0, "f1_letters": 0.0}, {"f1": f1, "f1_letters": f1}]}


def test_equal_is_not_worse() -> None:
    assert compared(scores(0.8), scores(0.8))["worse"] is False
    assert compared(scores(0.8), scores(0.79)) == {
        "examples": 7, "f1": {"old": 80.0, "new": 79.0}, "f1_letters": {"old": 80.0, "new": 79.0}, "worse": True
    }  # fmt: skip


def test_a_split_that_is_over_already_is_not_rolled_back_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, ...]] = []
    book = SimpleNamespace(adapter="receipt", server="", share=10, run=lambda *call, **_: ran.append(call[:2]))
    loop = Loop(cast(Runbook, book), cast(Traffic, SimpleNamespace(send=lambda *_, **__: Tally())), 3, 1, 9, 0)
    shares = iter([{"old": 0.9, "new": 0.1}, {"old": 1.0}])
    monkeypatch.setattr(Loop, "_serving", lambda _: next(shares))
    row = loop.judged("old", "new", loop_rounds.FOLDER)
    assert row["went_back_by_itself"] is True and ran == [(3, 1)]


def test_the_shipped_revision_is_found() -> None:
    assert (loop_revisions.newest() / "adapter_model.safetensors").is_file()
