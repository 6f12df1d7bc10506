"""The registry's operations, and a crash at every step of each of them."""

import os
import shutil
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.registry.catalogue import Reader
from adapters.registry.errors import Conflict, NotFound, Refused
from adapters.registry.scan import scan
from adapters.registry.state import load_state
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content
from tests.support.tiny_models import write_adapter


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
    registry.remove("cni", second) if second not in load_state(registry.root).aliases["cni"].weights else None
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
    assert [item.revision for item in scan(registry.root)] == [first]
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
        assert picture(root, rules) == after or operation == "rollback"
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
        assert operation == "remove"


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
    registry = Registry(tmp_path)
    with registry.staging() as mine:
        dead = mine.with_name(mine.name.replace(mine.name.rsplit("-", 2)[1], "4194304"))
        dead.mkdir()
        registry.clean()
        assert mine.exists() and not dead.exists()
    assert not mine.exists()
