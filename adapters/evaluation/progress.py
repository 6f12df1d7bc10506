"""A bar while cards go through the services, and what says that a package for learning is missing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adapters.errors import EvaluationError


@contextmanager
def counted(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show `title` with a bar; what is given is called after each of `total` things (None: nobody knows how many)."""
    from rich.progress import Progress

    with Progress() as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.update(task, advance=1)


@contextmanager
def learning() -> Iterator[None]:
    """Around imports of scikit-learn. Raises EvaluationError where it is missing."""
    try:
        yield
    except ImportError:
        raise EvaluationError("scikit-learn is missing: install the extra `rerank` (make env).") from None
