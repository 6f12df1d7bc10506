"""Cards that leave fields empty: one that was not filled in, or that somebody made unreadable."""

import random
from dataclasses import replace

from adapters.data.people import Record

_SHARE = 0.3  # of cards
_ZONED = frozenset({"pere_father", "mere_mother", "lieu_of_birth", "profession", "authorité", "taille"})
"""Fields that a card with a machine-readable zone can leave empty: the zone says the others."""


def emptied(rng: random.Random, record: Record) -> Record:
    """Now and then one or two fields without a value."""
    if rng.random() >= _SHARE:
        return record
    shown = sorted(key for key in record.printed if key in record.values)
    free = [key for key in shown if "mrz1" not in record.extras or key in _ZONED]
    gone = rng.sample(free, min(len(free), rng.choice((1, 1, 2))))
    return replace(
        record,
        values={key: None if key in gone else value for key, value in record.values.items()},
        printed={key: value for key, value in record.printed.items() if key not in gone},
    )
