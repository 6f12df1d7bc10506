"""Which files make a revision. Everything else stays behind, wherever it comes from, and is named.

A Trainer's checkpoint also holds the optimizer, random states and a tokenizer. Some of that is pickled, and a pickle
runs code when it is opened: nothing here opens or keeps one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE
from adapters.registry.errors import Refused

CONTENT = (CONFIG_FILE, WEIGHTS_FILE, MANIFEST_FILE)
# Suffixes of files that may be pickles. The only such list.
PICKLE_SUFFIXES = frozenset(
    {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz", ".joblib", ".dill", ".distcp", ".msgpack"}
)
# Plots and tables of a revision: kept for people, not part of its content.
_BESIDE = frozenset({".json", ".md", ".png", ".csv", ".svg"})
# What transformers' Trainer, Accelerate and DeepSpeed leave in a checkpoint, and the base's own files that they copy.
_LEFTOVER = re.compile(
    r"training_args\.(bin|json)|trainer_state\.json|(optimizer|scheduler|scaler|sampler|dataloader)(_\d+)?\.(pt|bin)"
    r"|rng_state(_\d+)?\.pth|random_states_\d+\.pkl|latest|zero_to_fp32\.py|global_step\d+|pytorch_model_fsdp_\d+"
    r"|(all|train|eval|test|predict)_results\.json|runs|events\.out\..*"
    r"|tokenizer(_config)?\.json|tokenizer\.model|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)"
    r"|merges\.txt|spiece\.model|chat_template\.(jinja|json)|(generation_|preprocessor_|processor_)?config\.json"
)


@dataclass(frozen=True)
class Taken:
    """A revision that was fetched: its folder, and the names of what was left behind."""

    folder: Path
    left_out: tuple[str, ...] = ()


def is_leftover(name: str) -> bool:
    """Whether a file or folder is one that training leaves beside an adapter."""
    return _LEFTOVER.fullmatch(name) is not None


def is_pickle(name: str) -> bool:
    """Whether a file may be a pickle, by its name."""
    return PurePosixPath(name).suffix.lower() in PICKLE_SUFFIXES


def is_wanted(name: str) -> bool:
    """Whether a file belongs to a revision: its content, or a plot or table of it. `name` has no folder in it."""
    beside = PurePosixPath(name).suffix.lower() in _BESIDE and not name.startswith(".") and not is_leftover(name)
    return name in CONTENT or beside


def check_weights(present: Iterable[str], left_out: Iterable[str]) -> None:
    """Say so where the weights came as a pickle only. Raises Refused."""
    if WEIGHTS_FILE in set(present):
        return
    pickles = sorted(name for name in left_out if is_pickle(name) and "/" not in name and not is_leftover(name))
    if pickles:
        text = f"{pickles[0][:100]!r} may be a pickle, which can run code; only safetensors are taken."
        raise Refused("pickle", text)


def left_beside(folder: Path) -> tuple[str, ...]:
    """What lies in a dropped-in adapter's folder and is never read. Raises OSError."""
    return tuple(sorted(path.name for path in folder.iterdir() if not is_wanted(path.name)))
