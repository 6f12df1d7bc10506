"""What a revision is made of: a Trainer's checkpoint as it lies on a disk, by every way into the registry."""

import errno
import io
import pickle
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry.archive import unpack
from adapters.registry.contents import PICKLE_SUFFIXES, Taken, is_pickle, is_wanted
from adapters.registry.errors import Refused
from adapters.registry.folder import copy_adapter
from adapters.registry.limits import SizeLimits
from adapters.registry.reader import Reader
from adapters.registry.remote import fetch_remote
from adapters.registry.validate import Rules
from tests.support.tiny_models import write_adapter
from tests.unit.registry.test_refusals import long_directory, long_header

LIMITS = SizeLimits()
LEFTOVERS = (
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "scaler.pt",
    "rng_state.pth",
    "rng_state_0.pth",
    "trainer_state.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "vocab.json",
    "chat_template.jinja",
    "latest",
    "zero_to_fp32.py",
)
KEPT = {"README.md", "adapter_config.json", "adapter_model.safetensors"}


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("executed",))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """What `Trainer` saves with PEFT, DeepSpeed's folder included."""
    folder = write_adapter(tmp_path / "checkpoint-938")
    (folder / "README.md").write_text("---\nbase_model: tiny-base\n---\n")
    for name in LEFTOVERS:
        (folder / name).write_bytes(pickle.dumps(_Bomb()))
    (folder / "global_step938").mkdir()
    (folder / "global_step938" / "mp_rank_00_model_states.pt").write_bytes(b"x")
    return folder


def by_folder(source: Path, target: Path) -> Taken:
    return copy_adapter(source, target, LIMITS)


def by_address(source: Path, target: Path) -> Taken:
    return fetch_remote(f"file://{source}", target, LIMITS)


def by_tar(source: Path, target: Path) -> Taken:
    target.mkdir()
    archive = target.with_suffix(".tgz")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, source.name)
    return unpack(archive, target, LIMITS)


def by_flat_tar(source: Path, target: Path) -> Taken:
    """As `tar -C checkpoint-938 -cf x.tar .` does."""
    target.mkdir()
    archive = target.with_suffix(".tar")
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as packed:
        packed.add(source, ".")
    return unpack(archive, target, LIMITS)


def by_zip(source: Path, target: Path) -> Taken:
    target.mkdir()
    archive = target.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(source.rglob("*")):
            packed.write(path, path.relative_to(source.parent))
        packed.writestr("__MACOSX/checkpoint-938/._README.md", b"x")
    return unpack(archive, target, LIMITS)


@pytest.mark.parametrize("way", [by_folder, by_address, by_tar, by_flat_tar, by_zip])
def test_a_trainers_checkpoint_is_taken_and_its_leftovers_are_named(
    checkpoint: Path, tmp_path: Path, way: object
) -> None:
    taken = way(checkpoint, tmp_path / "taken")  # type: ignore[operator]
    assert {path.name for path in taken.folder.rglob("*")} == KEPT
    assert set(LEFTOVERS) <= set(taken.left_out)
    assert any(name.startswith("global_step938") for name in taken.left_out)


@pytest.mark.parametrize("way", [by_folder, by_address, by_tar, by_zip])
@pytest.mark.parametrize("name", ["adapter_model.bin", "pytorch_model.bin", "weights.pkl"])
def test_weights_that_are_only_a_pickle_are_refused_by_name(
    checkpoint: Path, tmp_path: Path, way: object, name: str
) -> None:
    (checkpoint / "adapter_model.safetensors").rename(checkpoint / name)
    with pytest.raises(Refused, match=name) as refused:
        way(checkpoint, tmp_path / "taken")  # type: ignore[operator]
    assert refused.value.check == "pickle"


def test_an_optimizer_is_not_blamed_for_missing_weights(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "adapter_model.safetensors").unlink()
    assert "optimizer.pt" in copy_adapter(checkpoint, tmp_path / "taken", LIMITS).left_out


def test_a_checkpoint_that_was_dropped_in_serves_and_names_what_is_not_read(checkpoint: Path, rules: Rules) -> None:
    (revision,) = Reader(checkpoint.parent, rules).read().adapter("checkpoint-938").revisions.values()
    assert revision.refusal is None
    assert set(revision.left_out) == {*LEFTOVERS, "global_step938"}


@given(st.text(max_size=30), st.sampled_from(sorted(PICKLE_SUFFIXES)), st.sampled_from([str.upper, str.lower]))
def test_what_may_be_a_pickle_is_never_wanted(stem: str, suffix: str, case: object) -> None:
    name = stem.replace("/", "") + case(suffix)  # type: ignore[operator]
    assert not is_wanted(name)
    assert is_pickle("x" + name)


@pytest.mark.parametrize("make", ["long_header(tarfile.XHDTYPE)", "long_header(tarfile.XGLTYPE)", "long_directory()"])
def test_an_archive_takes_no_more_memory_than_its_limits(tmp_path: Path, make: str) -> None:
    """Peak memory of a process of its own: 64 MiB unpack from less than one, and 200,000 names from nine."""
    made = {"long_directory()": long_directory}.get(make, lambda: long_header(_kind(make)))()
    (tmp_path / "bomb").write_bytes(made)
    (tmp_path / "out").mkdir()
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from adapters.registry.archive import unpack\nfrom adapters.registry.errors import Refused\n"
        "from adapters.registry.limits import SizeLimits\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    unpack(Path(sys.argv[1]), Path(sys.argv[2]), SizeLimits(1 << 20, 16))\n"
        "except Refused:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "bomb"), str(tmp_path / "out")]
    grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown < 24 << 10  # KiB


def _kind(make: str) -> bytes:
    return tarfile.XHDTYPE if "XHD" in make else tarfile.XGLTYPE


def test_long_names_and_extended_headers_of_real_tools_are_read(tmp_path: Path) -> None:
    """Python writes pax headers for times with fractions, GNU tar long names: both come before real members."""
    folder = write_adapter(tmp_path / "adapter")
    deep = "x" * 90 + "/" + "y" * 90
    for style in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        archive, target = tmp_path / f"{style}.tar", tmp_path / f"out-{style}"
        target.mkdir()
        with tarfile.open(archive, "w", format=style) as packed:
            info = tarfile.TarInfo(deep)
            info.mtime = 0.5
            packed.addfile(info, io.BytesIO())
            for path in folder.iterdir():
                packed.add(path, path.name)
        taken = unpack(archive, target, LIMITS)
        assert taken.left_out == (deep,)
        assert (taken.folder / "adapter_config.json").read_bytes() == (folder / "adapter_config.json").read_bytes()


def test_a_zip_of_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    """Found by the fuzz: Python's own reader raises an IndexError."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"")
    content = bytearray(buffer.getvalue())
    entry = content.index(b"PK\x01\x02")
    content[entry + 28 : entry + 32] = b"\0\0\1\0"  # no name, and one byte of something else
    with pytest.raises(Refused) as refused:
        unpack(io.BytesIO(bytes(content)), tmp_path, LIMITS)
    assert refused.value.check == "archive-damaged"


@pytest.mark.parametrize("names", [("a.md", "a.md/b.md"), ("x" * 150 + "é" * 40 + ".md",), ("", "a.md")])
def test_names_that_do_not_go_together_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for name in names:
            packed.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(Refused):
        unpack(io.BytesIO(buffer.getvalue()), tmp_path, LIMITS)


def test_a_full_disk_is_no_damage_of_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as packed:
        packed.add(write_adapter(tmp_path / "adapter"), "adapter")

    def full(path: Path, *args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space"):
        unpack(archive, tmp_path / "out", LIMITS)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_is_refused_and_never_anything_else(data: st.DataObject) -> None:
    buffer = io.BytesIO()
    kind = data.draw(st.sampled_from(["tar", "tar.gz", "zip"]))
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/adapter_config.json", b"{}" * 40)
            archive.writestr("a/adapter_model.safetensors", b"1" * 600)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz" if kind == "tar.gz" else "w") as packed:
            for name in ("a/adapter_config.json", "a/" + "n" * 150 + ".md"):
                info = tarfile.TarInfo(name)
                info.size, info.mtime = 80, 0.25
                packed.addfile(info, io.BytesIO(b"{}" * 40))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    _unpack_in_scratch(bytes(content))


def _unpack_in_scratch(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        try:
            unpack(io.BytesIO(content), Path(scratch), SizeLimits(1 << 20, 16))
        except Refused as refused:
            assert "\n" not in str(refused)
        inside = Path(scratch).resolve()
        assert all(path.resolve().is_relative_to(inside) for path in inside.rglob("*"))
