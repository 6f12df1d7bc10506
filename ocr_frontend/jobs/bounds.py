"""How much of jobs the service takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """images: of one job; kept: jobs in the store; waiting: bytes of images not read yet, over all jobs.

    patience: seconds for which an image is tried again while the service is busy or the model server away.
    """

    images: int
    kept: int
    waiting: int
    patience: float
