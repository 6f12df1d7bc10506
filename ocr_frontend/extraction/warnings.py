"""Everything that a client is warned of: a stable code, the field, a sentence, and parameters.

The sentences of both languages are in warnings.yaml; the page translates by code. Parameters never hold a value of a
field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType

import yaml

from ocr_frontend.documents.spec import Words

Parameter = str | int | float
_FILE = files(__package__).joinpath("warnings.yaml")
MESSAGES: Mapping[str, Words] = MappingProxyType(
    {code: Words(**words) for code, words in yaml.safe_load(_FILE.read_text("utf-8")).items()}
)


@dataclass(frozen=True, slots=True)
class Warning_:
    """One warning; `about`: the field's key, None where it is about the whole answer."""

    code: str
    about: str | None = None
    params: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """In English."""
        return MESSAGES[self.code].en.format_map(dict(self.params))
