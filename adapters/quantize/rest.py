"""What a base's folder holds beside its weights: a quantized one takes it over as it is."""

from pathlib import Path

INDEX = "model.safetensors.index.json"
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack")


def rest_of(base: Path) -> list[Path]:
    """Tokenizer, configuration and the like, in the order of their names. Raises OSError."""
    return [
        path
        for path in sorted(base.iterdir())
        if path.is_file() and path.suffix not in _WEIGHTS and path.name != INDEX and not path.name.startswith(".")
    ]
