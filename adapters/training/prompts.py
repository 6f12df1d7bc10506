"""The prompt contract of a recipe: of built-in documents, or of the one that the recipe brings."""

from adapters.registry.manifest import PromptContract
from adapters.training.contract import contract
from adapters.training.recipe import Recipe


def prompts_of(recipe: Recipe) -> PromptContract:
    """As training renders prompts, and as the manifest of what it trains says it."""
    return contract(recipe.data.documents, recipe.answer, no_thought=recipe.no_thought, own=recipe.document)
