"""Every hostile or broken revision is refused with one sentence. docs/reference/refusals.md is made here."""

import functools
import gzip
import hashlib
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from adapters.registry.archive import unpack
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Refused
from adapters.registry.limits import SizeLimits
from adapters.registry.validate import Rules, check_content, check_header
from tests.support.tiny_models import adapter_config, adapter_tensors, manifest_for

DOCUMENT = Path(__file__).parents[3] / "docs/reference/refusals.md"
Files = dict[str, bytes]
LIMITS = SizeLimits(bytes=2 << 20, files=16)


def good(base: Path, **changes: Any) -> Files:
    config = changes.pop("config", {})
    tensors = changes.pop("tensors", None) or adapter_tensors()
    weights = save(tensors)
    files = {"adapter_config.json": json.dumps(adapter_config(**config)).encode(), "adapter_model.safetensors": weights}
    if "manifest" in changes:
        manifest = {**manifest_for(base), "sha256": hashlib.sha256(weights).hexdigest(), **changes["manifest"]}
        files["manifest.json"] = json.dumps(manifest).encode()
    return files


def tar_of(files: Files, *extra: tarfile.TarInfo, prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info in extra:
            archive.addfile(info)
        for name, content in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(files: Files, *extra: tuple[zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for info, content in extra:
            archive.writestr(info, content)
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@functools.cache
def long_header(kind: bytes, size: int = 64 << 20) -> bytes:
    """A tar.gz of less than a mebibyte whose first header claims, and has, so many bytes."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as packed:
        packed.write(info.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(size >> 20):
            packed.write(bytes(1 << 20))
    return buffer.getvalue()


@functools.cache
def long_directory(entries: int = 200_000) -> bytes:
    """A zip of one file whose central directory names it again and again."""
    one = zip_of({"a": b""})
    first, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    directory = one[first:end] * entries
    totals = struct.pack("<QQQQ", entries, entries, len(directory), first)
    large = struct.pack("<4sQHHII", b"PK\x06\x06", 44, 45, 45, 0, 0) + totals
    place = struct.pack("<4sIQI", b"PK\x06\x07", 0, first + len(directory), 1)
    short = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return one[:first] + directory + large + place + short


def member(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def unix(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def with_tensor(name: str, value: torch.Tensor | None) -> dict[str, Any]:
    tensors = adapter_tensors()
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    return tensors


def one(name: str, index: int, value: float) -> dict[str, Any]:
    tensors = adapter_tensors()
    tensors[name].view(-1)[index] = value
    return tensors


A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
B = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"
DEEP = "base_model.model.model.layers.9.self_attn.q_proj.lora_{}.weight"
MLP = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("executed",))


def _truncated(base: Path) -> Files:
    files = good(base)
    files["adapter_model.safetensors"] = files["adapter_model.safetensors"][:-100]
    return files


def _weights(base: Path, content: bytes) -> Files:
    return {**good(base), "adapter_model.safetensors": content}


_SHAPE = b'{"a": {"dtype": "F32", "shape": [%s], "data_offsets": [0, 8]}}'


def _header(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content + bytes(8)


def _with(base: Path, name: str, content: bytes) -> Files:
    return {**good(base), name: content}


def _missing(base: Path, name: str) -> Files:
    files = good(base)
    del files[name]
    return files


# name of the case, failed check, the archive
CASES: list[tuple[str, str, Callable[[Path], bytes]]] = [
    ("not an archive", "archive-format", lambda b: b"hello" * 100),
    ("tar cut in the middle", "archive-damaged", lambda b: tar_of(good(b))[:-900]),
    ("zip cut in the middle", "archive-format", lambda b: zip_of(good(b))[:-300]),
    ("absolute path", "archive-absolute", lambda b: tar_of({"/etc/evil": b"x"})),
    ("drive letter", "archive-absolute", lambda b: zip_of({"C:evil": b"x"})),
    ("backslashes", "archive-absolute", lambda b: tar_of({"..\\evil": b"x"})),
    ("path that climbs out", "archive-parent", lambda b: tar_of({"a/../../evil": b"x"})),
    ("zip path that climbs out", "archive-parent", lambda b: zip_of({"../evil": b"x"})),
    ("symbolic link", "archive-link", lambda b: tar_of(good(b), member("x", tarfile.SYMTYPE, "/etc/passwd"))),
    ("hard link", "archive-link", lambda b: tar_of(good(b), member("x", tarfile.LNKTYPE, "/etc/passwd"))),
    ("zip symbolic link", "archive-link", lambda b: zip_of(good(b), (unix("x", 0o120777), b"/etc/passwd"))),
    ("device", "archive-device", lambda b: tar_of(good(b), member("x", tarfile.CHRTYPE))),
    ("named pipe", "archive-device", lambda b: tar_of(good(b), member("x", tarfile.FIFOTYPE))),
    ("zip bomb", "archive-size", lambda b: zip_of({"big.json": bytes(3 << 20)})),
    ("tar bomb", "archive-size", lambda b: tar_of({"big.json": bytes(3 << 20)})),
    ("too many files", "archive-files", lambda b: tar_of({f"{i}.md": b"" for i in range(17)})),
    ("one name twice", "archive-duplicate", lambda b: tar_of({"a.md": b"1", "A.md": b"2"})),
    ("control characters in a name", "archive-name", lambda b: tar_of({"a\x07.md": b""})),
    ("header of 64 MiB in a tar", "archive-header", lambda b: long_header(tarfile.XHDTYPE)),
    ("name of 64 MiB in a tar", "archive-header", lambda b: long_header(tarfile.GNUTYPE_LONGNAME)),
    ("table of contents of 9 MiB in a zip", "archive-header", lambda b: long_directory()),
    ("tar packed by xz", "archive-format", lambda b: lzma.compress(gzip.decompress(tar_of(good(b))))),
    ("zip packed by LZMA", "archive-format", lambda b: zip_of(good(b), method=zipfile.ZIP_LZMA)),
    ("bomb among what is left out", "archive-size", lambda b: tar_of({**good(b), "optimizer.pt": bytes(3 << 20)})),
    ("pickle as the weights", "pickle", lambda b: tar_of({"adapter_model.bin": pickle.dumps(_Bomb())})),
    (
        "pickle by the name of safetensors",
        "safetensors",
        lambda b: tar_of(_weights(b, pickle.dumps(_Bomb()))),
    ),
    ("no configuration", "config-missing", lambda b: tar_of(_missing(b, "adapter_config.json"))),
    ("no weights", "weights-missing", lambda b: tar_of(_missing(b, "adapter_model.safetensors"))),
    ("configuration is no JSON", "config-json", lambda b: tar_of({**good(b), "adapter_config.json": b"{"})),
    ("configuration is a list", "config-json", lambda b: tar_of({**good(b), "adapter_config.json": b"[]"})),
    ("configuration is deep", "config-json", lambda b: tar_of({**good(b), "adapter_config.json": b"[" * 100_000})),
    ("configuration is huge", "config-size", lambda b: tar_of({**good(b), "adapter_config.json": b" " * (1100 << 10)})),
    ("rank is text", "config-schema", lambda b: tar_of(good(b, config={"r": "many"}))),
    ("not LoRA", "peft-type", lambda b: tar_of(good(b, config={"peft_type": "IA3"}))),
    ("trained bias", "bias", lambda b: tar_of(good(b, config={"bias": "all"}))),
    ("DoRA", "unsupported-feature", lambda b: tar_of(good(b, config={"use_dora": True}))),
    ("whole modules", "unsupported-feature", lambda b: tar_of(good(b, config={"modules_to_save": ["lm_head"]}))),
    ("PiSSA", "unsupported-feature", lambda b: tar_of(good(b, config={"init_lora_weights": "pissa"}))),
    ("rank 0", "rank", lambda b: tar_of(good(b, config={"r": 0}))),
    ("rank too large", "rank", lambda b: tar_of(good(b, config={"r": 64}))),
    ("pattern rank too large", "rank", lambda b: tar_of(good(b, config={"rank_pattern": {"q_proj": 128}}))),
    ("alpha 0", "alpha", lambda b: tar_of(good(b, config={"lora_alpha": 0}))),
    ("no target modules", "target-modules", lambda b: tar_of(good(b, config={"target_modules": []}))),
    (
        "another base by name",
        "base-name",
        lambda b: tar_of(good(b, config={"base_model_name_or_path": "Qwen/Qwen3-0.6B"})),
    ),
    (
        "another base by fingerprint",
        "base-fingerprint",
        lambda b: tar_of(good(b, manifest={"base": {**manifest_for(b)["base"], "fingerprint": "0" * 64}})),
    ),
    ("manifest is no JSON", "manifest", lambda b: tar_of({**good(b), "manifest.json": b"{"})),
    ("manifest with NaN", "manifest", lambda b: tar_of(_with(b, "manifest.json", b'{"training": {"loss": NaN}}'))),
    ("manifest with 1e400", "manifest", lambda b: tar_of(_with(b, "manifest.json", b'{"seed": 1e400}'))),
    ("manifest is deep", "manifest", lambda b: tar_of(_with(b, "manifest.json", b"[" * 100_000))),
    ("manifest is no UTF-8", "manifest", lambda b: tar_of(_with(b, "manifest.json", b'"\xff"'))),
    ("alpha is NaN", "config-json", lambda b: tar_of(good(b, config={"lora_alpha": float("nan")}))),
    ("header is deep", "safetensors", lambda b: tar_of(_weights(b, _header(b"[" * 100_000)))),
    ("header is a list", "safetensors", lambda b: tar_of(_weights(b, _header(b"[]")))),
    ("shape of 1e400", "safetensors", lambda b: tar_of(_weights(b, _header(_SHAPE % b"1e400")))),
    ("shape below zero", "safetensors", lambda b: tar_of(_weights(b, _header(_SHAPE % b"-1, -2")))),
    ("manifest of another format", "manifest", lambda b: tar_of(good(b, manifest={"format": 2}))),
    ("manifest with another checksum", "checksum", lambda b: tar_of(good(b, manifest={"sha256": "0" * 64}))),
    ("manifest with another revision", "digest", lambda b: tar_of(good(b, manifest={"revision": "0" * 12}))),
    ("weights cut off", "safetensors", lambda b: tar_of(_truncated(b))),
    ("weights are empty", "safetensors", lambda b: tar_of(_weights(b, b""))),
    ("header longer than the file", "safetensors", lambda b: tar_of(_weights(b, struct.pack("<Q", 1 << 60) + b"{}"))),
    ("no tensors", "no-modules", lambda b: tar_of(_weights(b, save({})))),
    (
        "tensor of another kind",
        "tensor-name",
        lambda b: tar_of(good(b, tensors=with_tensor("lm_head.weight", torch.ones(2)))),
    ),
    (
        "module that does not exist",
        "module-missing",
        lambda b: tar_of(good(b, tensors=with_tensor(DEEP.format("A"), torch.ones(16, 64)))),
    ),
    (
        "module that is not targeted",
        "module-untargeted",
        lambda b: tar_of(good(b, tensors=with_tensor(MLP, torch.ones(16, 64)))),
    ),
    ("another rank in the weights", "tensor-shape", lambda b: tar_of(good(b, tensors=adapter_tensors(rank=8)))),
    ("another width", "tensor-shape", lambda b: tar_of(good(b, tensors=with_tensor(A, torch.ones(16, 128))))),
    (
        "integers",
        "tensor-dtype",
        lambda b: tar_of(good(b, tensors=with_tensor(A, torch.ones(16, 64, dtype=torch.int32)))),
    ),
    ("half of a pair", "pair", lambda b: tar_of(good(b, tensors=with_tensor(B, None)))),
    ("NaN", "finite", lambda b: tar_of(good(b, tensors=one(A, 7, float("nan"))))),
    ("infinity", "finite", lambda b: tar_of(good(b, tensors=one(B, -1, float("inf"))))),
    (
        "no effect",
        "zero-effect",
        lambda b: tar_of(good(b, tensors={k: v * ("lora_A" in k) for k, v in adapter_tensors().items()})),
    ),
]


def refuse(archive: bytes, folder: Path, rules: Rules) -> Refused | None:
    """The whole way of an upload up to the engine."""
    upload, target = folder / "upload", folder / "content"
    upload.write_bytes(archive)
    target.mkdir()
    try:
        adapter = unpack(upload, target, LIMITS).folder
        checked = check_header(adapter, rules)
        check_content(adapter, checked.manifest, revision_name(content_digest(adapter)))
    except Refused as refused:
        return refused
    return None


@pytest.mark.parametrize(("case", "check", "make"), CASES, ids=[case[0].replace(" ", "-") for case in CASES])
def test_refused_in_one_sentence(
    tmp_path: Path, base_folder: Path, rules: Rules, case: str, check: str, make: Callable[[Path], bytes]
) -> None:
    refused = refuse(make(base_folder), tmp_path, rules)
    assert refused is not None, "it was accepted"
    sentence = str(refused)
    assert refused.check == check, sentence
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300
    assert str(tmp_path) not in sentence
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize("manifest", [None, {}])
def test_a_good_one_passes(
    tmp_path: Path, base_folder: Path, rules: Rules, pack: Callable[[Files], bytes], manifest: dict[str, Any] | None
) -> None:
    files = good(base_folder) if manifest is None else good(base_folder, manifest=manifest)
    assert refuse(pack(files), tmp_path, rules) is None


def test_a_good_one_in_a_folder_of_its_archive_passes(tmp_path: Path, base_folder: Path, rules: Rules) -> None:
    assert refuse(tar_of(good(base_folder), prefix="checkpoint-938/"), tmp_path, rules) is None


def test_the_table_in_the_docs_is_this_one(tmp_path: Path, base_folder: Path, rules: Rules) -> None:
    """Made again and compared; written where it is missing."""
    lines = [
        "# Revisions that are refused",
        "",
        "Made by `tests/unit/registry/test_refusals.py`, which tries each of them. The check's name is the `code`",
        "of the answer (422), the sentence its `message`. More need the engine: `engine` (it does not load the",
        "adapter), `no-effect` (the logits on a probe are exactly the base's), `probe-finite` (they are not",
        "finite), `golden` (the manifest's golden set scores below its floor) and `golden-prompt` (the engine",
        "does not take one of its prompts). What loading finds wrong is tried again after five minutes, then less",
        "and less often. `unreadable` and `engine-busy` speak of a disk or an engine that failed for a moment: they",
        "are 503 with `Retry-After`, and tried again within seconds.",
        "",
        "Files that belong to no revision are no reason to refuse one: they stay behind and are named (`left_out`).",
        "",
        "A remote source that cannot be fetched answers 400 with one sentence: nothing is there, it may not be read,",
        "it cannot be reached, it came cut off, or its package (the extra `remote`) is missing. Nothing of it stays",
        "(`tests/integration/server/test_remote_sources.py`).",
        "",
        "| revision | check | sentence |",
        "|---|---|---|",
    ]
    for index, (case, _, make) in enumerate(CASES):
        folder = tmp_path / str(index)
        folder.mkdir()
        sentence = str(refuse(make(base_folder), folder, rules)).replace(base_folder.parent.name, "models")
        lines.append(f"| {case} | `{CASES[index][1]}` | {sentence.replace('|', chr(92) + '|')} |")
    table = "\n".join(lines) + "\n"
    if not DOCUMENT.exists():
        DOCUMENT.write_text(table, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == table, (
        "delete docs/reference/refusals.md and run this test to make it again"
    )
    assert len(CASES) >= 25
