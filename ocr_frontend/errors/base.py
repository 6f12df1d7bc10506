"""The root of the errors."""

from typing import ClassVar


class FrontError(Exception):
    """Base of the tree. `message` is one sentence that may leave the service."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after: int | None = None  # seconds

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
