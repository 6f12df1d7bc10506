"""How much each revision will be asked: as lately, and as at this time of day before."""

from server.control.popularity import Popularity
from server.control.rhythm import Rhythm


class Forecast:
    """`popularity` counts revisions, `rhythm` their adapters: a new revision takes over its adapter's days."""

    def __init__(self, popularity: Popularity, rhythm: Rhythm) -> None:
        self._popularity = popularity
        self._rhythm = rhythm

    def asked(self, adapter: str, name: str) -> None:
        """A request for the revision `name` of `adapter`."""
        self._popularity.asked(name)
        self._rhythm.asked(adapter)

    def of(self, adapter: str, name: str) -> float:
        """How many requests it counts for."""
        return self._popularity.of(name) + self._rhythm.expected(adapter)

    def likely(self, most: int) -> list[str]:
        """Adapters that this time of day asks for, the most asked first."""
        names = self._rhythm.names()
        return sorted(names, key=self._rhythm.expected, reverse=True)[:most]
