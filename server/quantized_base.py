"""A base from `python -m adapters quantize`: refused when it is not what its manifest says, else announced."""

from adapters.registry.fingerprint import base_fingerprint
from adapters.registry.quantization import Quantization, read_quantization
from server.base_folder import find_base_folder
from server.prepare import PrepareError


def check_quantized_base(model: str) -> str | None:
    """One line about the base `model`, a warning where little is kept; None when no manifest says that it is quantized.

    Its fingerprint is the original's, so the registry takes the original's adapters and refuses all others.
    Raises PrepareError: a broken manifest, weights that are not those it names, another base's embedding.
    """
    folder = find_base_folder(model)
    if folder is None:
        return None
    try:
        manifest = read_quantization(folder)
        broken = manifest.broken_file(folder) if manifest else None
    except (OSError, ValueError) as error:
        raise PrepareError(f"SERVER_MODEL {model}: {error}; quantize the base again") from error
    if manifest is None:
        return None
    if broken is not None:
        raise PrepareError(f"SERVER_MODEL {model}: {broken} is not whole; copy or quantize the base again")
    if base_fingerprint(folder) != manifest.base.fingerprint:
        raise PrepareError(
            f"SERVER_MODEL {model} is not the {manifest.base.name} that its manifest names; quantize again"
        )
    return _warning(manifest)


def _warning(manifest: Quantization) -> str:
    group = f", groups of {manifest.group}" if manifest.group else ""
    what = f"the base is {manifest.base.name} through {manifest.method} ({manifest.bits} bits{group})"
    table = "docs/explanation/quantization.md"
    if manifest.method == "int8":  # the default of `make up` on many machines: no cause for alarm
        return (
            f"{what}: adapters of the original are served on it; their scores were measured on the original, and the "
            f"table in {table} says how many of its right fields int8 keeps"
        )
    return (
        f"warning: {what}: adapters of the original are served on it, but their scores were measured on the original; "
        f"see {table}"
    )
