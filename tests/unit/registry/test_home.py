"""The registry of whoever names none: made for its owner, given what ships once, and never against what he did."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.registry import home, option
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Unusable
from adapters.registry.home import LIST_FILE, SHIPPED, SOURCE, make_ready
from adapters.registry.state import STATE_FILE, load_state
from adapters.registry.store import Registry
from adapters.settings import Settings
from tests.support.tiny_models import write_adapter


class Source:
    """A source tree that ships what is laid into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shipped: list[str] = []
        folder.mkdir()

    def ship(self, name: str, seed: int) -> str:
        """Its revision."""
        made = write_adapter(self.folder / "new", seed=seed)
        revision = revision_name(content_digest(made))
        (self.folder / name).mkdir(exist_ok=True)
        made.rename(self.folder / name / revision)
        self.shipped.append(f"{name}@{revision}")
        return revision

    def ready(self, root: Path) -> home.Home:
        return make_ready(root, self.folder, tuple(self.shipped))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cni-lora-server" / "registry"


def meant(root: Path, name: str) -> dict[str, float]:
    return load_state(root).aliases[name].weights


@pytest.mark.skipif(not (SOURCE.parent / ".git").exists(), reason="no repository here")
def test_what_ships_is_what_lies_in_the_source_tree() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "*/adapter_config.json"], cwd=SOURCE, capture_output=True, text=True, check=True
    ).stdout.split()
    there = {path.removesuffix("/adapter_config.json").replace("/", "@") for path in tracked}
    assert {name for name in there if not name.startswith("recipes@")} == set(SHIPPED)
    for name in SHIPPED:
        assert revision_name(content_digest(SOURCE / name.replace("@", "/"))) == name.partition("@")[2]


def test_the_folder_is_the_owners_and_holds_what_ships(source: Source, root: Path) -> None:
    first, second = source.ship("cni", 1), source.ship("receipt", 2)
    made = source.ready(root)
    assert made.put == (f"cni@{first}", f"receipt@{second}") and not made.left
    assert root.stat().st_mode & 0o777 == root.parent.stat().st_mode & 0o777 == 0o700
    assert (meant(root, "cni"), meant(root, "receipt")) == ({first: 1.0}, {second: 1.0})
    assert content_digest(root / "cni" / first) == content_digest(source.folder / "cni" / first)
    assert list((root / ".incoming").iterdir()) == []
    assert [str(root) in line and f"cni@{first}" in line for line in made.told] == [True]


def test_the_second_start_writes_nothing(source: Source, root: Path) -> None:
    source.ship("cni", 1)
    source.ready(root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert source.ready(root).told == ()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_what_was_deleted_stays_away(source: Source, root: Path) -> None:
    first = source.ship("cni", 1)
    source.ready(root)
    own = Registry(root).register("cni", write_adapter(root.parent / "own", seed=5))[0]
    Registry(root).switch("cni", {own: 1.0})
    Registry(root).remove("cni", first)
    assert source.ready(root).put == () and not (root / "cni" / first).exists()
    Registry(root).retire("cni")
    source.ship("cni", 2)
    assert source.ready(root).put == () and not (root / "cni").exists(), "nor does a newer one of a retired adapter"


def test_nothing_is_overwritten(source: Source, root: Path) -> None:
    first = source.ship("cni", 1)
    source.ready(root)
    (root / "cni" / first / "evaluation.json").write_text("mine")
    (root / LIST_FILE).write_text("{")  # spoilt: it is as if nothing had been put there
    assert source.ready(root).put == ()
    assert (root / "cni" / first / "evaluation.json").read_text() == "mine"
    assert json.loads((root / LIST_FILE).read_text()) == source.shipped


def test_a_newer_shipped_revision_serves_where_nobody_chose_another(source: Source, root: Path) -> None:
    first = source.ship("cni", 1)
    source.ready(root)
    second = source.ship("cni", 2)
    assert source.ready(root).put == (f"cni@{second}",)
    assert meant(root, "cni") == {second: 1.0} and load_state(root).aliases["cni"].history == [{first: 1.0}]
    own = Registry(root).register("cni", write_adapter(root.parent / "own", seed=5))[0]
    Registry(root).switch("cni", {own: 1.0})
    third = source.ship("cni", 3)
    source.ready(root)
    assert (root / "cni" / third).is_dir() and meant(root, "cni") == {own: 1.0}


def test_a_users_own_folder_in_the_way_stays(source: Source, root: Path) -> None:
    second = (source.ship("cni", 1), source.ship("receipt", 2))[1]
    write_adapter(root / "cni", seed=9)
    assert source.ready(root).put == (f"receipt@{second}",)
    assert not any(path.is_dir() for path in (root / "cni").iterdir())


def test_a_state_that_cannot_be_read_is_left_to_who_restores_it(source: Source, root: Path) -> None:
    source.ship("cni", 1)
    source.ready(root)
    (root / STATE_FILE).write_text("{")
    revision = source.ship("cni", 2)
    assert source.ready(root).put == ()
    Registry(root).restore()
    assert source.ready(root).put == (f"cni@{revision}",)


def test_adapters_in_the_source_tree_are_named_until_they_are_moved(source: Source, root: Path) -> None:
    source.ship("cni", 1)
    write_adapter(source.folder / "mine" / ("a" * 12), seed=3)
    write_adapter(source.folder / "dropped", seed=4)
    [line] = source.ready(root).told[1:]
    assert f"(dropped, mine@{'a' * 12})" in line and f"SERVER_ADAPTERS_DIR={source.folder}" in line
    (source.folder / "dropped").rename(root / "dropped")
    (source.folder / "mine").rename(root / "mine")
    assert source.ready(root).told == ()


def test_a_folder_that_cannot_be_made_is_one_sentence(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match=r"^The registry folder \S+ cannot be used \(.*\): .*SERVER_ADAPTERS_DIR\.$"):
        source.ready(tmp_path / "file" / "registry")


@pytest.mark.parametrize("given", ["", "relative/folder"])
def test_the_default_is_absolute_whatever_is_set(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", given)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings().registry == Path("/home/somebody/.local/share/cni-lora-server/registry")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert Settings().registry == Path("/data/cni-lora-server/registry")
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", "adapters")
    assert Settings().registry == Path("adapters")


def test_a_named_folder_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert option.chosen(tmp_path / "named") == tmp_path / "named"
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path / "served"))
    assert option.chosen(None) == tmp_path / "served"
    assert list(tmp_path.iterdir()) == []


def test_where_makes_it_ready_and_prints_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapters", "registry", "where"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin"}
    )
    root = tmp_path / "cni-lora-server" / "registry"
    assert done.stdout == f"{root}\n" and all(name in done.stderr for name in SHIPPED)
    assert {name for name in SHIPPED if (root / name.replace("@", "/")).is_dir()} == set(SHIPPED)


def test_what_an_interrupted_copy_left_is_named_and_replaced_once_it_is_gone(source: Source, root: Path) -> None:
    """Earlier images copied file by file, and a pod that ended meanwhile left half a revision."""
    first, second = source.ship("cni", 1), source.ship("receipt", 2)
    shutil.copytree(source.folder / "cni", root / "cni")
    (root / "cni" / first / "adapter_model.safetensors").write_bytes(b"half")
    made = source.ready(root)
    assert made.put == (f"receipt@{second}",) and list(made.waiting) == [f"cni@{first}"]
    assert "another content" in made.waiting[f"cni@{first}"]
    shutil.rmtree(root / "cni")
    assert source.ready(root).put == (f"cni@{first}",)


def test_a_volume_that_was_filled_by_copying_keeps_what_it_means(source: Source, root: Path) -> None:
    first = source.ship("cni", 1)
    shutil.copytree(source.folder, root)
    source.shipped.clear()  # the image that ships the next one no longer lists it
    second = source.ship("cni", 2)
    assert source.ready(root).put == (f"cni@{second}",)
    assert meant(root, "cni") == {first: 1.0}, "nobody knows whether its owner chose it"


def test_a_revision_is_a_folder_or_a_name_of_the_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path))
    assert option.folder_of(Path("bill@0123")) == tmp_path / "bill" / "0123"
    assert option.folder_of(tmp_path) == tmp_path
    assert option.folder_of(Path("runs/bill@0123/scores.json")) == Path("runs/bill@0123/scores.json")


def test_scores_of_a_shipped_revision_stay_in_the_source_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path))
    monkeypatch.chdir(SOURCE.parent)
    place = SHIPPED[0].replace("@", "/")
    assert option.kept_in(SHIPPED[0]) == Path("adapters") / place
    assert option.kept_in(SHIPPED[0], tmp_path / "x") == tmp_path / "x" / place
    assert option.kept_in("mine@0123") == tmp_path / "mine" / "0123"
