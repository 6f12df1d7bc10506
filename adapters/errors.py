"""What can go wrong in `adapters` through something that a user can change.

AdaptersError          one clear sentence; the command line prints it and exits 2
├── BaseModelError     the base cannot be had, or is not what it should be
├── RecipeError        a recipe that cannot be read, or asks for what is not there
├── DataError          a data file with a broken line, a card that is none
├── EvaluationError    a service that does not answer, a run that cannot be compared
├── QuantizeError      a base that cannot be quantized as asked, or no room for it
└── HubError           a revision that cannot go to a hub
"""


class AdaptersError(Exception):
    """One sentence that names the thing and the way out."""


class BaseModelError(AdaptersError):
    """The base model cannot be had, or is not what it should be."""


class RecipeError(AdaptersError):
    """A recipe that cannot be read, or asks for what is not there."""


class DataError(AdaptersError):
    """A data file with a broken line, or a card that is none."""


class EvaluationError(AdaptersError):
    """A service that does not answer, or a run that cannot be compared."""


class QuantizeError(AdaptersError):
    """A base that cannot be quantized as asked, or no room for it."""


class HubError(AdaptersError):
    """A revision that is not there, or a hub that does not take it."""


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or the GPU. PyTorch's own error for the former is a plain RuntimeError."""
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or "DefaultCPUAllocator" in str(error)
