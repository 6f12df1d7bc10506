"""A recipe held against this machine: packages, base, data and memory, before a night is spent on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters import bases
from adapters.errors import AdaptersError
from adapters.registry.safetensors_header import read_header
from adapters.settings import Settings
from adapters.training import memory
from adapters.training.given import given
from adapters.training.recipe import Lora, Recipe
from adapters.training.recipe_file import read_recipe

TRAINING = ("torch", "peft", "transformers")
"""What every method takes."""

NEEDS: dict[str, tuple[str, ...]] = {"lora": (), "qlora": ("bitsandbytes",), "qat-lora": ("torchao",)}
"""What a method takes beside it."""

_GB = 1e9


@dataclass(frozen=True)
class Check:
    """One thing that a training needs; `said` is one sentence either way."""

    what: str
    good: bool
    said: str


def missing(method: str, versions: Mapping[str, str]) -> list[str]:
    """The packages that a method takes and that are not installed."""
    return [package for package in (*TRAINING, *NEEDS[method]) if package not in versions]


def checks(path: Path, data: Path | None, settings: Settings, versions: Mapping[str, str]) -> tuple[Check, ...]:
    """Of the recipe in `path`, whose labelled examples lie below `data` (default: beside it). Nothing is fetched."""
    try:
        recipe = read_recipe(path)
    except AdaptersError as error:
        return (Check("recipe", False, str(error)),)
    return tuple(_checks(recipe, path.parent, data or path.parent, settings, versions))


def _checks(
    recipe: Recipe, beside: Path, data: Path, settings: Settings, versions: Mapping[str, str]
) -> Iterator[Check]:
    absent = missing(recipe.method, versions)
    said = f"not installed: {', '.join(absent)}; install the extra `adapters`" if absent else "all there"
    yield Check("packages", not absent, f"{said}.")
    base, found = _base(recipe, settings)
    yield found
    found = _data(recipe, data)
    yield found
    if base is not None and found.good and not absent:
        yield _memory(recipe, beside, data, base, settings)


def _base(recipe: Recipe, settings: Settings) -> tuple[Path | None, Check]:
    try:
        base = bases.at_hand(recipe.base, settings)
    except AdaptersError as error:
        return None, Check("base", False, str(error))
    if base is None:
        return None, Check("base", False, f"{recipe.base} is not here yet: python -m adapters base {recipe.base}")
    return base, Check("base", True, f"{recipe.base} is here.")


def _data(recipe: Recipe, folder: Path) -> Check:
    """Recorded files are there: `read_recipe` has looked for them; modelled samples are drawn."""
    if recipe.spec is None:
        return Check("data", True, f"{len(recipe.data.recorded)} recorded files are here, the rest is drawn.")
    try:
        learnt, judged = given(recipe, recipe.spec, folder)
    except AdaptersError as error:
        return Check("data", False, str(error))
    return Check("data", True, f"{len(learnt)} samples to learn from, {len(judged)} to be judged by.")


def _memory(recipe: Recipe, beside: Path, data: Path, base: Path, settings: Settings) -> Check:
    """As `train` checks it, from the same samples, which are kept for it; without loading the base."""
    from transformers import AutoConfig

    from adapters.training.examples import prepared
    from adapters.training.run import settled, tokenizer_of

    try:
        recipe = settled(recipe)
        memory.check_base(base, recipe)
        samples = prepared(recipe, beside, base, tokenizer_of(base), settings.cache / "samples", data).training
        weights, config = memory.base_bytes(base, recipe.method), AutoConfig.from_pretrained(base)
        needed = memory.need(config, recipe, samples, weights, _trained(base, recipe.lora))
        memory.check(needed, recipe)
    except AdaptersError as error:
        return Check("memory", False, str(error))
    free, where = memory.free_memory()
    return Check("memory", True, f"about {needed / _GB:.1f} GB of {where}, {free / _GB:.1f} GB are free.")


def _trained(base: Path, lora: Lora) -> int:
    """Parameters of the adapter: A and B of each of the recipe's linear layers."""
    tensors = [tensor for path in base.glob("*.safetensors") for tensor in read_header(path).values()]
    own = [
        t for t in tensors if len(t.shape) == 2 and t.name.removesuffix(".weight").rpartition(".")[2] in lora.targets
    ]
    return lora.r * sum(sum(tensor.shape) for tensor in own)
