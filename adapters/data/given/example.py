"""One labelled example: what was read on a picture, and the values that are wanted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.data.lines import Line
from adapters.training.targets import Target


@dataclass(frozen=True)
class Given:
    """`fields`: key to the value as text, None or left out where the document does not show it.

    `lines`: in reading order; empty where only a picture is given, whose lines nobody has read yet.
    `targets`: answers that are known already (corrections); else they are found from the fields (`answers.py`).
    """

    name: str
    fields: Mapping[str, str | None]
    lines: tuple[Line, ...] = ()
    picture: Path | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
