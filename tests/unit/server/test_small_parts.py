"""Picker, keys, limiter, split watch, tiers, launch and settings."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.registry.catalogue import Adapter
from server.auth.keys import Key, KeyRing, hash_secret, new_secret, read_keys
from server.auth.keys_edit import add_key
from server.control.picker import pick
from server.control.watch import SplitWatch
from server.launch import plan
from server.machine import Machine
from server.settings import Settings
from server.tiers import follow, size_tiers
from server.wiring import kv_cache_bytes

MACHINE = Machine("/python", (0, 1), 16 << 30, True, Path("/lib/tc.so"), Path("/lib/omp.so"), frozenset({"cni_routes"}))


@given(
    st.dictionaries(st.text("abcdef0123456789", min_size=12, max_size=12), st.floats(0.01, 100), min_size=1), st.text()
)
def test_a_user_always_gets_the_same_revision(weights: dict[str, float], user: str) -> None:
    chosen = pick(weights, "cni", user or "u", lambda: 0.5)
    assert chosen in weights
    assert chosen == pick(weights, "cni", user or "u", lambda: 0.1)


def test_users_are_spread_by_weight_and_only_some_move_when_it_grows() -> None:
    users = [f"user-{index}" for index in range(4000)]
    small = {user: pick({"a": 90, "b": 10}, "cni", user, lambda: 0) for user in users}
    large = {user: pick({"a": 50, "b": 50}, "cni", user, lambda: 0) for user in users}
    assert 300 < sum(value == "b" for value in small.values()) < 500
    assert all(large[user] == "b" for user in users if small[user] == "b")


@given(st.floats(0, 1, exclude_max=True))
def test_the_random_pick_is_always_one_of_them(point: float) -> None:
    assert pick({"a": 0.1, "b": 0.2, "c": 0.7}, "cni", None, lambda: point) in {"a", "b", "c"}


def test_keys_are_stored_hashed_for_their_owner_only(tmp_path: Path) -> None:
    path, secret = tmp_path / "keys.json", new_secret()
    add_key(path, Key(id="a", sha256=hash_secret(secret), scopes=frozenset({"inference"})))
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    ring = read_keys(path)
    found = ring.find(f"Bearer {secret}")
    assert found is not None and found.id == "a"
    for wrong in (None, "", "Bearer", f"Basic {secret}", f"Bearer {secret}x", secret, "Bearer é"):
        assert ring.find(wrong) is None
    with pytest.raises(ValueError, match="already"):
        add_key(path, Key(id="a", sha256="0" * 64, scopes=frozenset({"admin"})))


def test_an_empty_ring_of_a_file_lets_nobody_in() -> None:
    assert KeyRing([]).find("Bearer x") is None and not KeyRing([]).open


def split(history: tuple[dict[str, float], ...] = ({"old": 1.0},)) -> Adapter:
    return Adapter("cni", {}, {"old": 50, "new": 50}, history)


def test_a_split_ends_only_for_the_newcomer_after_enough_answers_and_when_it_is_worse() -> None:
    watch = SplitWatch(least=10, limit=0.2)
    for _ in range(9):
        assert watch.record(split(), "new", True) is None
    assert watch.record(split(), "old", True) is None
    watch.record(split(), "old", False)
    assert watch.record(split(), "new", True) == 1.0
    watch.forget("cni")
    for _ in range(30):
        assert watch.record(split(), "old", True) is None
        assert watch.record(split(), "new", True) is None


def test_other_shares_of_the_same_revisions_are_the_same_split() -> None:
    watch = SplitWatch(least=4, limit=0.2)
    grown = Adapter("cni", {}, {"old": 50, "new": 50}, ({"old": 1.0}, {"old": 90, "new": 10}))
    assert [watch.record(grown, "new", True) for _ in range(4)] == [None, None, None, 1.0]


def test_an_answer_that_is_judged_anew_counts_once() -> None:
    watch = SplitWatch(least=4, limit=0.7)
    for _ in range(3):
        assert watch.record(split(), "new", False) is None
        assert watch.record(split(), "new", True, again=True) is None
    watch.record(split(), "new", False)
    assert watch.record(split(), "new", True, again=True) == 1.0


def test_an_answer_that_another_server_gave_is_not_judged_here() -> None:
    watch = SplitWatch(least=3, limit=0.2)
    assert [watch.record(split(), "new", True, again=True) for _ in range(6)] == [None] * 6
    assert [watch.record(split(), "new", False) for _ in range(3)] == [None] * 3
    assert watch.record(split(), "new", True, again=True) == pytest.approx(1 / 3)


def test_without_a_split_nothing_is_judged() -> None:
    watch = SplitWatch(least=1, limit=0.0)
    assert watch.record(Adapter("cni", {}, {"new": 1.0}, ({"old": 1.0},)), "new", True) is None


def test_tiers_follow_the_memory_and_never_go_below_the_slots() -> None:
    tiers = size_tiers(8, 0, 9 << 20, 102 << 20)
    assert (tiers.room.most, tiers.room.bytes, tiers.room.surely) == (1024, 102 << 20, 11)
    assert size_tiers(8, 0, 8 << 20, 1 << 20).room.bytes == 72 << 20, "each with what lies beside its weights"
    assert size_tiers(8, 20, 1, 1 << 40).room.surely == 20
    assert size_tiers(8, 4, 1, 1 << 40).room.surely == 8


def test_the_adapters_memory_follows_what_is_free_in_small_steps() -> None:
    mib = 1 << 20
    tiers = size_tiers(2, 0, 10 * mib, 400 * mib)
    room, sizes = tiers.room, []
    for _ in range(40):
        room = follow(tiers, room, 4000 * mib)
        sizes.append(room.bytes)
    assert sizes[0] == 450 * mib and sizes == sorted(sizes) and sizes[-1] == 1600 * mib, "a few times the plan at most"
    assert follow(tiers, room, 400 * mib).bytes == room.bytes, "as much is free as is to be left to others"
    for _ in range(100):
        room = follow(tiers, room, 0)
    assert room.bytes == int(22.5 * mib), "never less than the slots need"
    counted = size_tiers(2, 20, 10 * mib, 0)
    assert follow(counted, counted.room, 0) == counted.room, "who says how many gets so many"


def test_launch_explains_what_it_chooses() -> None:
    launch = plan(Settings(model="/m", port=8001), MACHINE, model_is_folder=True, environ={"LD_PRELOAD": "/own.so"})
    assert launch.environment["HF_HUB_OFFLINE"] == "1"
    assert launch.environment["VLLM_CPU_OMP_THREADS_BIND"] == "0,1"
    assert launch.environment["KMP_BLOCKTIME"] == "5"
    assert launch.environment["LD_PRELOAD"] == "/lib/tc.so:/lib/omp.so:/own.so"
    assert launch.environment["SERVER_PORT"] == "8001"
    assert "--no-enable-log-requests" in launch.command and "--enable-lora" in launch.command
    assert "--api-key" not in " ".join(launch.command)
    assert all(choice.why for choice in launch.choices)


def test_what_the_operator_exported_outranks_our_choice() -> None:
    environ = {"VLLM_CPU_OMP_THREADS_BIND": "1", "VLLM_PLUGINS": "none"}
    launch = plan(Settings(model="/m"), MACHINE, model_is_folder=True, environ=environ)
    assert launch.environment["VLLM_CPU_OMP_THREADS_BIND"] == "1"
    (shown,) = (choice for choice in launch.choices if choice.name == "VLLM_CPU_OMP_THREADS_BIND")
    assert shown.why == "set by you in the environment"
    assert launch.environment["VLLM_PLUGINS"] != "none", "without our plugins there is no server of ours"


def test_launch_says_what_is_fixed_and_whether_a_compiler_is_there() -> None:
    values = {choice.name: choice.value for choice in plan(Settings(model="/m"), MACHINE, True).choices}
    assert (values["prefix caching"], values["compilation"]) == ("on", "none")
    assert values["C++ compiler"] == "not found"


def test_launch_of_a_hub_model_asks_the_hub_and_many_cores_are_left_to_vllm() -> None:
    machine = Machine("/python", tuple(range(16)), 64 << 30, True, None, None, frozenset())
    launch = plan(Settings(model="Qwen/Qwen3-0.6B"), machine, model_is_folder=False)
    assert "HF_HUB_OFFLINE" not in launch.environment
    assert "VLLM_CPU_OMP_THREADS_BIND" not in launch.environment
    assert "LD_PRELOAD" not in launch.environment
    assert launch.command[launch.command.index("--served-model-name") + 1] == "Qwen/Qwen3-0.6B"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "example.org"])
def test_without_keys_only_loopback(host: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="keys_file"):
        Settings(host=host)
    assert Settings(host=host, keys_file=tmp_path / "keys.json").host == host


def test_the_kv_cache_is_measured_where_it_is_not_configured() -> None:
    cache = SimpleNamespace(kv_cache_memory_bytes=None, block_size=16, cache_dtype="auto", num_gpu_blocks=1000)
    model = SimpleNamespace(
        use_mla=False,
        is_hybrid=False,
        dtype=SimpleNamespace(itemsize=2),
        get_total_num_hidden_layers=lambda: 30,
        get_total_num_kv_heads=lambda: 3,
        get_head_size=lambda: 64,
    )
    config = SimpleNamespace(cache_config=cache, model_config=model)
    assert kv_cache_bytes(config) == 1000 * 16 * 30 * 2 * 3 * 64 * 2
    model.use_mla = True
    assert kv_cache_bytes(config) == 0
    cache.kv_cache_memory_bytes = 1 << 30
    assert kv_cache_bytes(config) == 1 << 30
