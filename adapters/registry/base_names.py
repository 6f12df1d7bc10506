"""What an adapter's configuration calls its base: a hub's name, a cache folder, a path of any system, a copy's name.

A name proves nothing: which base an adapter fits is told by shapes, and that it is the same one by the owner. What this
finds out is whether the name speaks for the base at hand, against it, or not at all.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

_CACHED = re.compile(r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)")
_HASH = re.compile(r"^[0-9a-f]{16,64}$")
# Folders that training scripts make; none of them is a model's name.
_NOBODY = frozenset(
    {"", ".", "model", "models", "base", "base_model", "base-model", "merged", "output", "outputs", "out"}
)
_CHECKPOINT = re.compile(r"^(checkpoint|step|epoch)[-_]?\d+$")
# Copies of a model in another form, by the suffixes that their makers give them: the same weights, rounded.
_FORM = re.compile(r"-(unsloth-)?(bnb-(4|8)bit|4bit|8bit|awq|gptq(-int(4|8))?|fp8|int(4|8)|bf16|gguf)$")


class Says(Enum):
    """Of the base at hand."""

    SAME = auto()
    OTHER = auto()
    NOTHING = auto()


@dataclass(frozen=True)
class Named:
    """`name`: the model's own, without owner, folder and form; `nf4`: a four-bit copy of bitsandbytes."""

    name: str
    nf4: bool


def recognise(written: str) -> Named:
    """`written`: base_model_name_or_path."""
    cached = _CACHED.search(written)
    parts = [part for part in re.split(r"[/\\]+", written.strip()) if part and not part.endswith(":")]
    last = cached["name"] if cached else (parts[-1] if parts else "")
    name = last.lower()
    nf4 = bool(re.search(r"(bnb-4bit|-4bit)$", name))
    while (form := _FORM.search(name)) is not None:
        name = name[: form.start()]
    return Named(last[: len(name)], nf4)


def says(written: str | None, served: frozenset[str]) -> Says:
    """`served`: the names that the base at hand has, each with or without owner."""
    if not written:
        return Says.NOTHING
    name = recognise(written).name.lower()
    if name in {recognise(own).name.lower() for own in served}:
        return Says.SAME
    empty = name in _NOBODY or _HASH.match(name) or _CHECKPOINT.match(name)
    return Says.NOTHING if empty else Says.OTHER


def shown(written: str) -> str:
    """For a sentence: no path of somebody's machine."""
    return recognise(written).name or "a folder without a name"
