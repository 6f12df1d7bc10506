"""Real files to start from, and how the fuzz changes them."""

import gzip
import hashlib
import io
import json
import random
import struct
import tarfile
import zipfile
from pathlib import Path

from adapters.registry.base_model import BaseModel
from adapters.registry.safetensors_header import read_header

_LAYERS = 2
# What parsers fear: numbers that are none, too large or of the wrong kind, deep nesting, half of a character.
_TOKENS = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1", b"0", b"-0.0", b"1e-400", b"2.5", b"9" * 400, b"9" * 5000),
    *(
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b'"\\ud800"',
        b'"\\u0000"',
        b"\xff",
        b"\x00",
        b"\xf0\x9f",
        b"\xef\xbb\xbf",
    ),
    *(b"[" * 50, b"[" * 2000, b'{"a":' * 2000, b"]" * 100, b'"' + b"x" * 3000 + b'"', b"//", b"/*", b",", b":", b"\\"),
    *(b"18446744073709551615", b"9223372036854775808", b"1" * 30, b"../", b"/etc/passwd", b"PK\x05\x06", b"PK\x06\x06"),
)
_MARK = "fuzz-changes-this"
# In the place of a value: most of them are JSON as Python writes it.
_VALUES = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1", b"0", b"-0.0", b"1e-400", b"2.5", b"9" * 400, b"9" * 5000),
    *(
        b"null",
        b"true",
        b"false",
        b"[]",
        b"{}",
        b'""',
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\n\\u2028"',
        b'"' + b"x" * 3000 + b'"',
    ),
    *(b"[" * 40 + b"]" * 40, b"[" * 3000 + b"]" * 3000, b'{"a":' * 70 + b"1" + b"}" * 70, b'[["a"]]', b'{"a": null}'),
    *(b"18446744073709551616", b"1" * 30, b'"NaN"', b'"0"', b"[0]", b"[1, 2]", b"[-1, -2]", b"[1e400]", b'"lines"'),
)
_LONGEST = 1 << 20


def seeds(adapter: Path) -> tuple[dict[str, bytes], BaseModel]:
    """The files of a revision, with the weights of its first layers only, archives of it, and the base that it fits."""
    weights, modules = _cut(adapter / "adapter_model.safetensors")
    manifest = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    manifest["sha256"] = hashlib.sha256(weights).hexdigest()
    manifest.pop("revision", None)
    files = {
        "adapter_config.json": (adapter / "adapter_config.json").read_bytes(),
        "adapter_model.safetensors": weights,
        "manifest.json": json.dumps(manifest, ensure_ascii=False).encode(),
    }
    described = manifest["base"]
    base = BaseModel(
        names=frozenset({described["name"]}),
        fingerprint=described["fingerprint"],
        architecture=described["architecture"],
        hidden_size=described["hidden_size"],
        layers=described["layers"],
        modules=dict(modules),
    )
    small = {name: content[:4000] for name, content in files.items()}
    tar = _tar(small)
    return {**files, "archive.tar": tar, "archive.tgz": gzip.compress(tar, 1), "archive.zip": _zip(small)}, base


def _cut(path: Path) -> tuple[bytes, dict[str, tuple[int, int]]]:
    header: dict[str, object] = {}
    data = b""
    modules: dict[str, list[int]] = {}
    content = path.read_bytes()
    for name, tensor in read_header(path).items():
        if not any(f".layers.{layer}." in name for layer in range(_LAYERS)):
            continue
        piece = content[tensor.offset : tensor.offset + tensor.size]
        offsets = [len(data), len(data) + len(piece)]
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        data += piece
        module, _, side = name.removeprefix("base_model.model.").removesuffix(".weight").rpartition(".")
        shape = modules.setdefault(module, [0, 0])
        shape[side == "lora_A"] = tensor.shape[1 if side == "lora_A" else 0]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data, {name: (out, into) for name, (out, into) in modules.items()}


def _tar(files: dict[str, bytes]) -> bytes:
    """With pax headers, as Python writes them for times with fractions."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"checkpoint-938/{name}")
            info.size, info.mtime = len(content), 0.5
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Mutator:
    """Changes files; `dice` decides all of it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def change(self, name: str, content: bytes, others: dict[str, bytes]) -> bytes:
        """A changed file. More often than not its frame stays whole, so that what stands behind it is reached."""
        if name == "archive.tgz" and self._dice.random() < 0.8:
            return gzip.compress(self.change("archive.tar", others["archive.tar"], others), 1)
        if self._dice.random() < 0.6:
            if name.endswith(".json"):
                return self._json(content)
            if name.endswith(".safetensors"):
                (length,) = struct.unpack("<Q", content[:8])
                header = self._json(content[8 : 8 + length])
                return struct.pack("<Q", len(header)) + header + content[8 + length :]
            if name == "archive.tar":
                return self._tar(content)
        changed = content
        for _ in range(self._dice.randint(1, 3)):
            changed = self._bytes(changed, others)[:_LONGEST]
        return changed

    def _json(self, content: bytes) -> bytes:
        """One to three values or keys of a JSON document replaced; what is written is whole, if not strict, JSON."""
        document = json.loads(content)
        for _ in range(self._dice.randint(1, 3)):
            node = document
            while isinstance(node, dict | list) and node:
                key = self._dice.choice(list(node) if isinstance(node, dict) else range(len(node)))
                if not isinstance(node[key], dict | list) or not node[key] or self._dice.random() < 0.3:
                    node[key] = _MARK
                    break
                node = node[key]
        text = json.dumps(document).encode()
        while (place := text.find(b'"' + _MARK.encode() + b'"')) >= 0:
            text = text[:place] + self._dice.choice(_VALUES) + text[place + len(_MARK) + 2 :]
        return text

    def _tar(self, content: bytes) -> bytes:
        """Fields of a header replaced, and its checksum made right again."""
        changed = bytearray(content)
        for _ in range(self._dice.randint(1, 3)):
            start = 512 * self._dice.choice(
                [i for i in range(len(content) // 512) if content[512 * i + 257 :][:5] == b"ustar"]
            )
            field, size = self._dice.choice(((0, 100), (100, 8), (124, 12), (156, 1), (157, 100), (345, 155)))
            new = self._dice.choice(
                (*_TOKENS, *(b"%o" % (1 << self._dice.randrange(40)), b"xgLKSVDM0123456"[self._dice.randrange(15) :]))
            )
            changed[start + field : start + field + size] = new[:size].ljust(size, b"\0")
            header = changed[start : start + 512]
            header[148:156] = b" " * 8
            changed[start + 148 : start + 156] = b"%06o\0 " % sum(header)
        return bytes(changed)

    def _bytes(self, content: bytes, others: dict[str, bytes]) -> bytes:
        dice, place = self._dice, self._place(content)
        before, behind = content[:place], content[place:]
        other = dice.choice(list(others.values()))
        start, size = self._place(other), dice.choice((1, 2, 8, 64, 512))
        number = struct.pack("<Q", dice.choice((0, 1, 1 << 31, 1 << 63, 2**64 - 1)))
        return dice.choice(
            (
                before + bytes([(behind or b"\0")[0] ^ (1 << dice.randrange(8))]) + behind[1:],
                before + dice.randbytes(dice.randint(1, 16)) + behind,
                before + behind[size:],
                before,
                before + other[start : start + size] + behind,
                before + behind[:size] + behind,
                before + number + behind[8:],
                before + dice.choice(_TOKENS) + behind,
            )
        )

    def _place(self, content: bytes) -> int:
        most = max(len(content) - 1, 0)
        return self._dice.randint(0, min(most, self._dice.choice((16, 600, 5000, most))))
