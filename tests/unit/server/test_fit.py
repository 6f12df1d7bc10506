"""The memory fit: whatever is chosen fits, one full context always lies in the KV cache, a refusal says the way out."""

import dataclasses
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.registry.base_model import read_base
from server.base_shape import read_shape
from server.fit import BLOCK, GIB, LEAST, Fit, Room, Shape, TooLittle, Wanted, cache_bytes, fit
from server.launch import plan
from server.machine import Machine
from server.memory import fitted
from server.settings import Settings
from tests.support.tiny_models import write_base

QWEN = Shape("Qwen3-0.6B", "/m/Qwen3-0.6B", int(1.4 * GIB), int(0.99 * GIB), 40_960, 114_688, 151_936, 14_336)
FRONT = int(1.25 * GIB)
MACHINE = Machine("/python", (0, 1), 16 * GIB, True, None, None, frozenset({"cni_routes"}))


def _fit(gib: float, wanted: Wanted = Wanted(), shape: Shape = QWEN) -> Fit:  # noqa: B008 frozen
    return fit(shape, Room(int(gib * GIB), FRONT), wanted)


shapes = st.builds(
    Shape,
    name=st.just("base"),
    place=st.just("/m/base"),
    weights=st.integers(1 << 20, 80 * GIB),
    eighth=st.just(0),
    positions=st.integers(64, 262_144),
    token=st.integers(1_024, 1 << 20),
    vocabulary=st.integers(300, 256_000),
    wide=st.integers(256, 200_000),
)
rooms = st.builds(
    Room, st.integers(0, 1 << 40), beside=st.integers(0, 8 * GIB), gpu=st.sampled_from([0, 8 * GIB, 24 * GIB, 80 * GIB])
)


@given(shapes, rooms, st.integers(0, 600), st.integers(0, 2 * GIB))
def test_one_full_context_lies_in_the_cache_and_all_of_it_in_the_memory(
    shape: Shape, room: Room, sequences: int, adapters: int
) -> None:
    try:
        found = fit(shape, room, Wanted(sequences=sequences, adapters=adapters))
    except TooLittle as refused:
        assert str(refused).endswith(".") and "\n" not in str(refused)
        return
    assert min(LEAST, shape.positions) <= found.context <= shape.positions
    # vLLM's own count: whole blocks, of which it keeps one empty.
    blocks = found.kv // (BLOCK * shape.token)
    assert -(-found.context // BLOCK) <= blocks - 1
    assert 1 <= found.sequences <= found.batch
    at_hand = room.gpu or room.memory
    assert found.kv + shape.weights + (0 if room.gpu else found.adapters + room.beside) <= at_hand


@given(st.floats(0, 200), st.floats(0, 60))
def test_more_memory_never_chooses_less(gib: float, more: float) -> None:
    def context(size: float) -> int:
        try:
            return _fit(size).context
        except TooLittle:
            return 0

    assert context(gib) <= context(gib + more)


def test_the_machines_that_teams_own() -> None:
    """8 GB have about 7.2 GiB at hand, 16 GB 14.5, 24 GB 22."""
    small, middle, large = _fit(7.2), _fit(14.5), _fit(22)
    assert 8_192 <= small.context < 40_960 and small.sequences >= 8
    assert middle.whole and large.whole
    assert middle.sequences == large.sequences == 32
    assert small.kv < middle.kv <= large.kv


def test_a_gpu_holds_the_whole_context_and_more_requests() -> None:
    found = fit(QWEN, Room(16 * GIB, gpu=24 * GIB))
    assert found.whole and found.sequences == 128 and found.batch == 8192


def test_where_eight_bits_would_fit_the_sentence_says_the_command() -> None:
    with pytest.raises(TooLittle) as refused:
        _fit(5)
    said = str(refused.value)
    assert "of 5.0 GiB of memory at hand" in said and "weights 1.4" in said and "the OCR front 1.2" in said
    command = shlex.split(said.split("'")[1])
    assert command[:4] == ["python", "-m", "adapters", "quantize"]
    assert command[command.index("--base") + 1] == "/m/Qwen3-0.6B" and "runs/Qwen3-0.6B-int8" in command
    assert _fit(5, shape=dataclasses.replace(QWEN, weights=QWEN.eighth, eighth=0)).context >= LEAST


def test_without_hope_the_sentence_says_how_much_is_missing() -> None:
    with pytest.raises(TooLittle, match=r"close something, or use a machine with \d\.\d GiB more\.$"):
        _fit(3)


def test_what_an_operator_set_stays_or_is_refused_with_numbers() -> None:
    found = _fit(22, Wanted(context=4096, kv=2 * GIB, sequences=7, batch=512))
    assert (found.context, found.kv, found.sequences, found.batch) == (4096, 2 * GIB, 7, 512)
    assert _fit(7.2, Wanted(context=4096)).context == 4096
    with pytest.raises(TooLittle, match=r"leave it to the server, which chooses a context of \d"):
        _fit(7.2, Wanted(context=40_960))
    with pytest.raises(TooLittle, match=r"SERVER_KV_CACHE_GIB asks for 9\.0"):
        _fit(7.2, Wanted(kv=9 * GIB))
    with pytest.raises(TooLittle, match=r"SERVER_MAX_MODEL_LEN 40960 needs 4\.4 GiB .* gives 2\.0"):
        _fit(22, Wanted(context=40_960, kv=2 * GIB))
    assert _fit(22, Wanted(kv=3 * GIB)).context < 40_960


def test_the_cache_of_qwen3_is_what_vllm_says() -> None:
    """vLLM 0.32: one sequence of 40,960 tokens needs 4.38 GiB."""
    assert cache_bytes(QWEN, 40_960) / GIB == pytest.approx(4.38, abs=0.01)


def test_the_shape_comes_from_configuration_and_headers(tmp_path: Path) -> None:
    shape = read_shape(write_base(tmp_path / "base"), str(tmp_path / "base"), packed=False)
    assert shape.token == 2 * 2 * 1 * 32 * 2 and shape.positions == 2048 and shape.vocabulary == 320
    stored = (tmp_path / "base/model.safetensors").stat().st_size
    assert shape.weights == pytest.approx(stored, rel=0.05)
    assert shape.weights / 2 < shape.eighth < shape.weights
    assert read_shape(tmp_path / "base", "b", dtype="float32", packed=False).weights == 2 * shape.weights
    assert read_shape(tmp_path / "base", "b", cache_dtype="fp8").token == shape.token / 2


def test_the_launch_says_what_was_chosen_and_passes_it_on(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    settings = Settings(model=str(folder), memory_gib=8, reserve_gib=1)
    memory = fitted(settings, MACHINE, folder, read_base(folder))
    launch = plan(memory.settings, MACHINE, True, memory=memory.choices)
    values = {choice.name: choice.value for choice in launch.choices}
    assert values["context length"] == "2,048" and values["threads"] == "2"
    words = launch.command
    assert words[words.index("--max-model-len") + 1] == "2048"
    assert int(words[words.index("--kv-cache-memory-bytes") + 1]) >= 2048 * 256
    assert int(words[words.index("--max-num-seqs") + 1]) == 32
    assert launch.environment["SERVER_MAX_MODEL_LEN"] == "2048"


def test_before_a_hub_delivered_the_base_vllm_fits_the_context() -> None:
    memory = fitted(Settings(model="a/b"), MACHINE, None, None)
    command = plan(memory.settings, MACHINE, False, memory=memory.choices).command
    assert command[command.index("--max-model-len") + 1] == "-1"


@pytest.mark.parametrize(("quota", "threads"), [(4.0, 4), (2.5, 2), (0.5, 1), (None, 64), (100.0, 64)])
def test_a_quota_bounds_the_threads_and_binds_them_to_no_core(quota: float | None, threads: int) -> None:
    machine = dataclasses.replace(MACHINE, cores=tuple(range(64)), quota=quota)
    assert machine.threads == threads
    environment = plan(Settings(model="/m"), machine, True).environment
    if threads < 64:
        assert environment["OMP_NUM_THREADS"] == str(threads)
        assert environment["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    else:
        assert "OMP_NUM_THREADS" not in environment


def test_a_gpu_that_others_use_too_is_shared(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    settings = Settings(model=str(folder))
    shared = dataclasses.replace(MACHINE, cpu_only=False, gpu=(12 * GIB, 24 * GIB))
    memory = fitted(settings, shared, folder, read_base(folder))
    command = plan(memory.settings, shared, True, memory=memory.choices).command
    assert command[command.index("--gpu-memory-utilization") + 1] == "0.49"
    assert "--kv-cache-memory-bytes" not in command, "a GPU's cache is vLLM's to measure"
    own = dataclasses.replace(shared, gpu=(23 * GIB, 24 * GIB))
    assert not any(c.name == "GPU share" for c in fitted(settings, own, folder, read_base(folder)).choices)
