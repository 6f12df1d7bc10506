"""The INT8 copy of a base in the cache: made once, found again by what the original is.

It lies in `bases/int8-VERSION-KEY/NAME`. The key is a digest of the original's fingerprint and of every file that the
copy takes over as it is, so that a base whose tokenizer or template was changed gets a new copy. NAME is that of the
original's folder: a server's default name for the base and the names that adapters call it by come from there.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.errors import QuantizeError
from adapters.quantize.checks import check_base
from adapters.quantize.methods import method_named
from adapters.quantize.rest import rest_of
from adapters.registry.base_form import form_of
from adapters.registry.base_model import BaseModel
from adapters.registry.canonical import canonical_json, file_sha256
from adapters.registry.errors import Busy
from adapters.registry.lock import writing
from adapters.registry.quantization import read_quantization

METHOD: Final = "int8"
# A later version of this method must not find an earlier one's result.
VERSION = "1"
_PATIENCE = 600.0  # seconds for another process that is writing the same copy
Say = Callable[[str], None]


def prepare(original: Path, name: str, cache: Path, say: Say) -> Path:
    """The folder of the INT8 copy of `original`, called `name`; made now where there is none. A base that is quantized
    already is returned as it is.

    Raises QuantizeError: the base cannot be quantized, or there is no room for it. A kill at any point leaves no folder
    under the final name, and two calls at once make one copy.
    """
    if quantized(original):
        return original
    base, _ = check_base(original, name, None)
    final = folder(original, name, base, cache)
    if _whole(final):
        return final
    with _alone(final):
        if not _whole(final):
            if final.exists():
                say(f"{final} is not whole and is made again")
                shutil.rmtree(final, ignore_errors=True)
            say(f"writing {name} in eight bits, once")
            _quantize(original, name, final)
    return final


def quantized(original: Path) -> bool:
    """Whether the base is in fewer bits already. Raises QuantizeError where its configuration cannot be read."""
    try:
        return form_of(original) != "bf16"
    except (OSError, ValueError) as error:
        raise QuantizeError(f"The base {original.name} cannot be read ({error}).") from error


def folder(original: Path, name: str, base: BaseModel, cache: Path) -> Path:
    """Where the copy is, or will be. Raises QuantizeError."""
    try:
        rest = {path.name: file_sha256(path) for path in rest_of(original)}
    except OSError as error:
        raise QuantizeError(f"The base {name} cannot be read ({error.strerror}): look at {error.filename}.") from error
    key = hashlib.sha256(canonical_json({"base": base.identity, "rest": rest})).hexdigest()[:12]
    of_hub = original.parent.name == "snapshots"  # a hub's cache, where the folder's name is a revision's hash
    return cache / "bases" / f"{METHOD}-{VERSION}-{key}" / (name if of_hub else original.name)


def _whole(final: Path) -> bool:
    """Whether the copy is what its manifest says."""
    try:
        manifest = read_quantization(final)
        return manifest is not None and manifest.broken_file(final) is None
    except (OSError, ValueError):
        return False


@contextmanager
def _alone(final: Path) -> Iterator[None]:
    """Hold the lock on the copy's place; the kernel gives it back when a process dies."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with writing(final.parent, _PATIENCE):
            yield
    except OSError as error:
        raise QuantizeError(
            f"{final.parent} cannot be written ({error.strerror}): choose another cache with XDG_CACHE_HOME."
        ) from error
    except Busy as error:
        raise QuantizeError(f"Another process has been writing {final} for {_PATIENCE:.0f} s: end that one.") from error


def _quantize(original: Path, name: str, final: Path) -> None:
    from adapters.quantize.run import Plan, quantize  # heavy

    method = method_named(METHOD)
    quantize(Plan(original, name, method, method.group, samples=0, seed=0), final, lambda what, done, of: None)
