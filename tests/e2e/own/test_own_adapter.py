"""A team's own base and checkpoint: dropped in, adopted by `make up`, uploaded, a second revision, rolled back.

The base is a tiny random Qwen3: it proves the path and answers nonsense.
"""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ROOT
from tests.support.checkpoints import LEFT_BY_TRAINER, write_checkpoint

from .conftest import Own

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_it_says_what_it_did(own: Own) -> None:
    assert "context length 2,048" in own.up.output, "the tiny base's own, under the memory of an 8 GB machine"
    assert all(name in own.up.output for name in LEFT_BY_TRAINER), "what training left beside it is named"
    assert "model         checkpoint-938; others by -F model=NAME: dropped-in, Qwen3-0.6B" in own.up.output
    assert (own.checkpoint / "contract.yaml").is_file()


def test_the_printed_curl_line_works_as_printed(own: Own) -> None:
    done = subprocess.run(own.curl, capture_output=True, text=True, check=True)
    reply = json.loads(done.stdout)
    # Random weights may answer nothing that can be read, and that is said; the model was found and asked.
    if "error" in reply:
        assert reply["error"]["code"] in {"invalid_answer", "answer_incomplete"}, reply
    else:
        assert reply["model"].startswith("checkpoint-938@")


def test_what_was_dropped_in_and_what_was_adopted_both_answer(own: Own) -> None:
    assert own.ask("checkpoint-938")["model"].startswith("checkpoint-938@")
    assert own.ask("dropped-in")["model"].startswith("dropped-in@")
    assert own.ask("Qwen3-0.6B")["model"] == "Qwen3-0.6B"


def test_the_contract_reaches_the_front(own: Own) -> None:
    listed = {model["id"]: model for model in httpx.get(f"{own.server}/v1/models").json()["data"]}
    prompt = listed["checkpoint-938"]["prompt"]
    assert prompt["thinking"] is False and prompt["suffix"].endswith("<|assistant|>")
    shown = {model["id"] for model in httpx.get(f"{own.front}/models").json()["models"]}
    assert {"checkpoint-938", "dropped-in", "Qwen3-0.6B"} <= shown


def test_a_second_revision_by_upload_is_switched_to_and_rolled_back(own: Own, tmp_path: Path) -> None:
    (first,) = own.means()
    second = write_checkpoint(tmp_path / "checkpoint-1200", seed=9)
    packed = tmp_path / "checkpoint-1200.tar.gz"
    subprocess.run(["tar", "czf", str(packed), "-C", str(tmp_path), second.name], check=True)
    route = f"{own.server}/v1/adapters/checkpoint-938"
    form = {"contract": (own.checkpoint / "contract.yaml").read_text()}
    made = httpx.post(f"{route}/revisions", files={"file": packed.read_bytes()}, data=form, timeout=120).json()
    assert set(LEFT_BY_TRAINER) <= set(made["left_out"]), made
    assert list(own.means()) == [first], "nothing switches by itself"
    assert httpx.put(route, json={"revision": made["revision"]}, timeout=60).status_code == 200
    assert own.ask("checkpoint-938")["model"] == f"checkpoint-938@{made['revision']}"
    assert httpx.post(f"{route}/rollback", timeout=60).status_code == 200
    assert own.ask("checkpoint-938")["model"] == f"checkpoint-938@{first}"


def test_an_edited_contract_is_adopted_while_it_runs(own: Own) -> None:
    (first,) = own.means()
    contract = own.checkpoint / "contract.yaml"
    contract.write_text(contract.read_text() + "max_tokens: 200\n")
    command = [".venv-server/bin/python", "-m", "adapters", "adopt", str(own.checkpoint), "--base", str(own.base)]
    done = subprocess.run(
        [*command, "--registry", str(own.registry), "--switch"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    second = done.stdout.strip().rpartition("@")[2]
    assert second != first
    for _ in range(50):
        if list(own.means()) == [second]:
            break
        httpx.get(f"{own.server}/ready")
    assert own.ask("checkpoint-938")["model"] == f"checkpoint-938@{second}"
