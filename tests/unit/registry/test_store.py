"""The registry's operations, and a crash at every step of each of them."""

import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Busy, Conflict, Damaged, NotFound, Refused
from adapters.registry.lock import writing
from adapters.registry.reader import Reader
from adapters.registry.scan import scan
from adapters.registry.state import AliasState, State, load_state, save_state
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content
from tests.support.tiny_models import adapter_config, write_adapter


class KillAt:
    """A step hook that kills its process before the n-th step: no cleanup that is not the operating system's."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def stage(registry: Registry, seed: int) -> Path:
    return write_adapter(registry.root / ".incoming" / f"seed-{seed}", seed=seed)


def fill(root: Path) -> tuple[Registry, str, str]:
    """Two revisions; the alias means the first, and has meant the second before."""
    root.mkdir()
    registry = Registry(root)
    first, _ = registry.register("cni", stage(registry, 1))
    second, _ = registry.register("cni", stage(registry, 2))
    registry.switch("cni", {second: 1.0})
    registry.switch("cni", {first: 1.0})
    return registry, first, second


def test_first_revision_serves_and_a_second_one_does_not_until_it_is_told_to(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first, new = registry.register("cni", stage(registry, 1))
    assert new
    second, _ = registry.register("cni", stage(registry, 2))
    assert load_state(tmp_path).aliases["cni"].weights == {first: 1.0}
    assert (tmp_path / "cni" / second / "adapter_config.json").exists()


def test_the_same_content_is_one_revision(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first, _ = registry.register("cni", stage(registry, 1))
    again = stage(registry, 1)
    assert registry.register("cni", again) == (first, False)


def test_default_target_of_a_seeded_folder_is_kept_when_a_revision_is_added(tmp_path: Path, rules: Rules) -> None:
    registry = Registry(tmp_path)
    first, _ = registry.register("cni", stage(registry, 1))
    (tmp_path / "state.json").unlink()
    registry.register("cni", stage(registry, 2))
    assert Reader(tmp_path, rules).read().adapter("cni").weights == {first: 1.0}


def test_rollback_walks_back_and_skips_what_was_deleted(tmp_path: Path) -> None:
    registry, first, second = fill(tmp_path / "r")
    third, _ = registry.register("cni", stage(registry, 3))
    registry.switch("cni", {third: 1.0})
    registry.remove("cni", second)
    registry.rollback("cni")
    assert load_state(registry.root).aliases["cni"].weights == {first: 1.0}
    registry.rollback("cni")
    assert load_state(registry.root).aliases["cni"].weights == {first: 1.0}
    with pytest.raises(Conflict):
        registry.rollback("cni")


def test_what_an_alias_names_cannot_be_deleted(tmp_path: Path) -> None:
    registry, first, second = fill(tmp_path / "r")
    with pytest.raises(Conflict, match="switch it first"):
        registry.remove("cni", first)
    registry.remove("cni", second)
    assert [item.revision for item in scan(registry.root).found] == [first]
    with pytest.raises(NotFound):
        registry.switch("cni", {second: 1.0})


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../x", "a@b", "x" * 65, "a\n", "é"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    registry = Registry(tmp_path)
    with pytest.raises(Refused):
        registry.register(name, stage(registry, 1))


def test_a_folder_that_is_no_adapter_is_not_taken_over(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "code.py").write_text("")
    with pytest.raises(Conflict, match="no adapter"):
        registry.register("data", stage(registry, 1))


def staged(registry: Registry) -> Path:
    """Where `stage` put it before: a forked child must not make tensors, since torch's threads are not in it."""
    return registry.root / ".incoming" / "seed-9"


OPERATIONS: dict[str, Callable[[Registry, str, str], object]] = {
    "register": lambda registry, first, second: registry.register("cni", staged(registry)),
    "register-first": lambda registry, first, second: registry.register("new", staged(registry)),
    "switch": lambda registry, first, second: registry.switch("cni", {second: 1.0}),
    "split": lambda registry, first, second: registry.switch("cni", {first: 90, second: 10}),
    "rollback": lambda registry, first, second: registry.rollback("cni"),
    "pin": lambda registry, first, second: registry.pin("cni", [second]),
    "unpin": lambda registry, first, second: registry.pin("cni", [first], keep=False),
    "remove": lambda registry, first, second: registry.remove("cni", second),
    "retire": lambda registry, first, second: registry.retire("cni"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_kill_at_any_step_leaves_before_or_after(tmp_path: Path, rules: Rules, operation: str) -> None:
    """After each kill -9 the registry reads, each listed revision is whole, and the state is the old or the new one."""
    reference, first, second = fill_and_pin(tmp_path / "reference")
    before = picture(reference.root, rules)
    OPERATIONS[operation](reference, first, second)
    after = picture(reference.root, rules)
    assert before != after

    kills = 0
    for last in range(100):
        root = tmp_path / f"kill-{last}"
        fill_and_pin(root)
        if not killed(last, operation, root, first, second):
            assert picture(root, rules) == after
            break
        kills += 1
        survived = picture(root, rules)
        # Between its steps an operation may have done a part that answers nobody: the alias decides.
        assert survived["weights"] in (before["weights"], after["weights"])
        assert survived["revisions"] in (before["revisions"], after["revisions"])
        again(operation, Registry(root), first, second)
        # Going back is no state but a step: one that was taken already is not taken again.
        if operation != "rollback" or survived["weights"] == before["weights"]:
            assert picture(root, rules) == after
    assert kills >= 3


def fill_and_pin(root: Path) -> tuple[Registry, str, str]:
    """The first one is pinned, and a third one lies ready."""
    registry, first, second = fill(root)
    registry.pin("cni", [first])
    stage(registry, 9)
    return registry, first, second


def killed(last: int, operation: str, root: Path, first: str, second: str) -> bool:
    """Run an operation in a process of its own that is killed before step `last`; whether it had so many."""
    child = os.fork()
    if child == 0:
        try:
            OPERATIONS[operation](Registry(root, step=KillAt(last)), first, second)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, "the operation itself failed"
    return code != 0


def again(operation: str, registry: Registry, first: str, second: str) -> None:
    """The same operation once more after a restart: it finishes what was begun, or finds it done."""
    registry.clean()
    shutil.rmtree(registry.root / ".incoming", ignore_errors=True)
    stage(registry, 9)
    try:
        OPERATIONS[operation](registry, first, second)
    except NotFound:
        assert operation in {"remove", "retire"}


def picture(root: Path, rules: Rules) -> dict[str, object]:
    """What a server that starts now would serve. Every revision that is listed must be whole."""
    catalogue = Reader(root, rules).read()
    for adapter in catalogue.adapters.values():
        for revision in adapter.revisions.values():
            assert revision.refusal is None
            check_content(revision.folder, revision.manifest, revision.revision)
        assert adapter.weights.keys() <= adapter.revisions.keys()
    return {
        "weights": {name: adapter.weights for name, adapter in catalogue.adapters.items()},
        "revisions": {name: sorted(adapter.revisions) for name, adapter in catalogue.adapters.items()},
        "pinned": {name: sorted(adapter.pinned) for name, adapter in catalogue.adapters.items()},
    }


def test_staging_of_a_dead_process_is_cleared_and_a_living_one_is_not(tmp_path: Path) -> None:
    """In a container the server is process 1 and its host name survives a restart: neither says who is alive."""
    registry = Registry(tmp_path)
    started, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with registry.staging() as theirs:
            os.write(started[1], theirs.name.encode())
            os.read(go_on[0], 1)
            os.kill(os.getpid(), signal.SIGKILL)
    theirs = tmp_path / ".incoming" / os.read(started[0], 100).decode()
    with registry.staging() as mine:
        registry.clean()
        assert mine.exists() and theirs.exists()
        os.write(go_on[1], b"x")
        os.waitpid(child, 0)
        registry.clean()
        assert mine.exists() and not theirs.exists()
    assert not mine.exists()


def test_staging_of_an_older_version_goes_after_a_day(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for name, age in (("host-1-young", 3600), ("host-1-old", 25 * 3600)):
        (tmp_path / ".incoming" / name).mkdir(parents=True)
        then = time.time() - age
        os.utime(tmp_path / ".incoming" / name, (then, then))
    registry.clean()
    assert [path.name for path in (tmp_path / ".incoming").iterdir()] == ["host-1-young"]


@pytest.mark.parametrize("share", [float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e7])
def test_no_share_can_be_written_that_cannot_be_read(tmp_path: Path, share: float) -> None:
    registry, first, second = fill(tmp_path / "r")
    before = (registry.root / "state.json").read_bytes()
    with pytest.raises(Conflict, match="share"):
        registry.switch("cni", {first: 1.0, second: share})
    assert (registry.root / "state.json").read_bytes() == before
    with pytest.raises(ValueError):
        AliasState(weights={first: share})


def test_a_state_that_would_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    registry, first, _ = fill(tmp_path / "r")
    before = load_state(registry.root)
    broken = before.model_copy(update={"aliases": {"cni": AliasState.model_construct(weights={first: float("nan")})}})
    with pytest.raises(Damaged):
        save_state(registry.root, broken)
    assert load_state(registry.root) == before


@settings(max_examples=200, deadline=None)
@given(weights=st.dictionaries(st.text(max_size=12), st.floats(allow_nan=True, allow_infinity=True), max_size=4))
def test_any_weights_are_refused_or_read_again(weights: dict[str, float]) -> None:
    try:
        state = State(aliases={"cni": AliasState(weights=weights)})
    except ValueError:
        return
    with tempfile.TemporaryDirectory() as root:
        try:
            save_state(Path(root), state)
        except (Damaged, UnicodeError):
            assert not list(Path(root).iterdir())
            return
        assert load_state(Path(root)) == state


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"aliases": {"cni": {"weights": {"a": NaN}}}}',
        b"\xff\xfe",
        b'{"serial": 1e999}',
    ],
)
def test_a_damaged_state_is_one_sentence_and_the_last_good_one_comes_back(tmp_path: Path, content: bytes) -> None:
    registry, _, second = fill(tmp_path / "r")
    good = load_state(registry.root)
    (registry.root / "state.json").write_bytes(content)
    for operation in (lambda: registry.switch("cni", {second: 1.0}), lambda: registry.rollback("cni")):
        with pytest.raises(Damaged, match="registry restore") as damaged:
            operation()
        assert "\n" not in str(damaged.value)
    assert (registry.root / "state.json").read_bytes() == content
    assert registry.restore() == good == load_state(registry.root)
    with pytest.raises(Conflict, match="nothing to restore"):
        registry.restore()


def dropped(root: Path, seed: int, when: int, **config: object) -> str:
    """A revision that somebody laid into the adapter's folder, with a file time of their choice."""
    folder = write_adapter(root / "made", seed=seed, config=adapter_config(**config))
    revision = revision_name(content_digest(folder))
    (root / "cni").mkdir(exist_ok=True)
    folder.rename(root / "cni" / revision)
    os.utime(root / "cni" / revision / "adapter_model.safetensors", (when, when))
    return revision


@pytest.mark.parametrize("with_base", [True, False])
def test_a_third_revision_does_not_move_an_alias_to_one_that_cannot_serve(
    tmp_path: Path, rules: Rules, with_base: bool
) -> None:
    healthy = dropped(tmp_path, 1, 1000)
    refused = dropped(tmp_path, 2, 2000, use_dora=True)
    reader = Reader(tmp_path, rules)
    registry = Registry(tmp_path, can_serve=reader.can_serve) if with_base else Registry(tmp_path)
    assert reader.read().adapter("cni").weights == {healthy: 1.0}
    third, _ = registry.register("cni", stage(registry, 3))
    assert reader.read().adapter("cni").weights == {healthy: 1.0}
    registry.switch("cni", {third: 1.0})
    registry.rollback("cni")
    assert reader.read().adapter("cni").weights == {healthy: 1.0}
    with pytest.raises(Conflict, match="nothing to roll back to"):
        registry.rollback("cni")
    registry.remove("cni", refused)
    assert reader.read().adapter("cni").weights == {healthy: 1.0}


def test_an_adapter_of_which_nothing_can_serve_gets_what_is_registered(tmp_path: Path, rules: Rules) -> None:
    dropped(tmp_path, 1, 1000, use_dora=True)
    registry = Registry(tmp_path, can_serve=Reader(tmp_path, rules).can_serve)
    revision, _ = registry.register("cni", stage(registry, 2))
    assert load_state(tmp_path).aliases["cni"].weights == {revision: 1.0}


def test_order_is_that_of_registration_whatever_a_clone_makes_of_file_times(tmp_path: Path, rules: Rules) -> None:
    registry = Registry(tmp_path)
    revisions = [registry.register("cni", stage(registry, seed))[0] for seed in range(4)]
    for age, revision in enumerate(revisions):
        os.utime(tmp_path / "cni" / revision / "adapter_model.safetensors", (9000 - age, 9000 - age))
    assert list(Reader(tmp_path, rules).read().adapter("cni").revisions) == revisions
    state = load_state(tmp_path)
    save_state(tmp_path, state.model_copy(update={"aliases": {}}))
    assert Reader(tmp_path, rules).read().adapter("cni").weights == {revisions[-1]: 1.0}


def test_the_whole_digest_is_kept_and_another_content_of_one_name_is_refused(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    digest = content_digest(stage(registry, 1))
    revision, _ = registry.register("cni", stage(registry, 1))
    assert load_state(tmp_path).registered == {"cni": {revision: digest}}
    # Two contents that share twelve digits cannot be made here: the first one's digest is changed instead.
    save_state(tmp_path, load_state(tmp_path).with_registered("cni", {revision: "f" * 64}))
    with pytest.raises(Conflict, match="another content"):
        registry.register("cni", stage(registry, 1))


def test_rollback_passes_over_what_cannot_serve(tmp_path: Path, rules: Rules) -> None:
    registry, first, second = fill(tmp_path / "r")
    third, _ = registry.register("cni", stage(registry, 3))
    for revision in (second, third):
        registry.switch("cni", {revision: 1.0})
    (registry.root / "cni" / second / "adapter_config.json").write_text("{")
    registry.rollback("cni")
    assert load_state(registry.root).aliases["cni"].weights == {first: 1.0}


def test_an_adapter_is_retired_with_everything(tmp_path: Path, rules: Rules) -> None:
    registry, first, second = fill(tmp_path / "r")
    registry.pin("cni", [first])
    with pytest.raises(Conflict, match="switch it first"):
        registry.remove("cni", first)
    registry.remove("cni", second)
    with pytest.raises(Conflict, match="retire"):
        registry.remove("cni", first)
    (registry.root / "cni" / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match="notes"):
        registry.retire("cni")
    (registry.root / "cni" / "notes.txt").unlink()
    registry.retire("cni")
    state = load_state(registry.root)
    assert not (state.aliases or state.pinned or state.registered) and not (registry.root / "cni").exists()
    assert Reader(registry.root, rules).read().adapters == {}
    assert registry.register("cni", stage(registry, 1)) == (first, True)


def test_a_lock_that_somebody_keeps_ends_in_a_sentence(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(Busy, match="holds"), writing(tmp_path, patience=0.05):
        pass
