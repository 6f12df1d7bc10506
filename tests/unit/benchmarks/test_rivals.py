"""What the rivals of `benchmarks.rivals.today` serve is the same model, in batches, and who is missing is named."""

import contextlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.harness.models import Models
from benchmarks.rivals.gguf_files import _interleaved, write_base, write_lora
from benchmarks.rivals.others import others
from benchmarks.rivals.servers import OURS, Server
from benchmarks.rivals.today import _started
from benchmarks.rivals.workers.http import in_batches, serve


def _port() -> int:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_worker_answers_what_waits_in_one_batch_and_each_its_own() -> None:
    batches: list[int] = []
    first_is_there, first_may_go = threading.Event(), threading.Event()

    def answer(prompts: list[list[int]], tokens: int) -> list[list[int]]:
        batches.append(len(prompts))
        first_is_there.set()
        assert first_may_go.wait(30)
        return [[0] * tokens for _ in prompts]

    port = _port()
    threading.Thread(target=serve, args=(port, in_batches(answer)), daemon=True).start()

    def ask(_: int) -> int:
        body = {"prompt": [1, 2], "max_tokens": 7}
        for _ in range(100):
            with contextlib.suppress(httpx.ConnectError):
                answered = httpx.post(f"http://127.0.0.1:{port}/v1/completions", json=body, timeout=60)
                return int(answered.json()["usage"]["completion_tokens"])
        raise TimeoutError

    with ThreadPoolExecutor(6) as pool:
        alone = pool.submit(ask, 0)
        assert first_is_there.wait(30)
        rest = [pool.submit(ask, number) for number in range(5)]
        first_may_go.set()
        assert [one.result() for one in (alone, *rest)] == [7] * 6
    assert batches[0] == 1 and sum(batches) == 6


def test_queries_rows_are_interleaved_as_llama_cpp_rotates_them() -> None:
    rows = np.arange(8).reshape(8, 1)  # two heads of four rows
    assert _interleaved(rows, heads=2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_a_gguf_has_every_weight_of_the_base_and_of_the_adapter(tmp_path: Path, kind: str) -> None:
    import torch
    from gguf import GGUFReader
    from safetensors.torch import save_file

    shape = {"model_type": kind, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 5,
             "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 64,
             "rms_norm_eps": 1e-5, "rope_parameters": {"rope_theta": 1e4}}  # fmt: skip
    layer = "model.layers.0"
    weights = {
        "model.embed_tokens.weight": torch.randn(5, 8),
        "model.norm.weight": torch.ones(8),
        f"{layer}.self_attn.q_proj.weight": torch.arange(64.0).reshape(8, 8),
        f"{layer}.input_layernorm.weight": torch.ones(8),
        "lm_head.weight": torch.ones(5, 8),
    }
    tuned = "base_model.model.model.layers.0.self_attn.q_proj"
    lora = {f"{tuned}.lora_A.weight": torch.ones(2, 8), f"{tuned}.lora_B.weight": torch.ones(8, 2)}
    (tmp_path / "config.json").write_text(json.dumps(shape), "utf-8")
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1}}}), "utf-8")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 4}), "utf-8")
    save_file(weights, tmp_path / "model.safetensors")
    save_file(lora, tmp_path / "adapter_model.safetensors")
    write_base(tmp_path, tmp_path / "base.gguf")
    write_lora(tmp_path, tmp_path, tmp_path / "lora.gguf")

    written = {one.name: one for one in GGUFReader(tmp_path / "base.gguf").tensors}
    assert set(written) == {"token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.0.attn_norm.weight"}
    queries = (np.frombuffer(written["blk.0.attn_q.weight"].data.tobytes(), "<u2").astype("<u4") << 16).view("<f4")
    first = [0, 2, 1, 3, 4, 6, 5, 7] if kind == "llama" else list(range(8))
    assert queries.reshape(8, 8)[:, 0].tolist() == [8.0 * row for row in first]
    adapters = {one.name for one in GGUFReader(tmp_path / "lora.gguf").tensors}
    assert adapters == {"blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"}


def test_who_has_no_environment_is_left_out_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(others(tmp_path, "embedded", Models(tmp_path, (tmp_path,)), 2, 9)) == []
    said = capsys.readouterr().err
    for name in ("llama.cpp", "OpenVINO GenAI", "ONNX Runtime GenAI"):
        assert f"{name} is left out" in said
    assert "make bench-env" in said


def test_a_rival_that_does_not_start_is_left_out_and_ours_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    def started(name: str) -> list[Any]:
        with contextlib.ExitStack() as services:
            return list(_started(services, iter([Server(name, ["false"], _port())])))

    assert started("rival") == []
    assert "rival is left out" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="no answer"):
        started(OURS)
