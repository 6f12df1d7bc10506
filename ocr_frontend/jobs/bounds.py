"""How much of jobs the service takes, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobLimits:
    """images: of one job; running: jobs of one key that are not done; waiting, key_waiting: bytes of images that nobody
    has read yet, of all keys and of one.

    retention: seconds that results are kept, counted from a job's completion; wait: seconds after which an image that
    is still unread is given up; patience: seconds for which an image is tried while the model server is away.
    """

    images: int
    running: int
    waiting: int
    key_waiting: int
    retention: float
    wait: float
    patience: float
