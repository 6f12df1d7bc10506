"""The labels that say whose a figure is: so many revisions have their own, all others share `other`."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

OTHER = "other"
WHO = ("adapter", "revision")
Pair = tuple[str, str]


def _nothing(pair: Pair) -> None:
    """Nobody keeps series by these labels."""


class Labels:
    """Gives each revision labels of its own, `most` at a time. Where there are more, those that were not used for the
    longest time go, and `forget` removes their series; what aliases mean and what is being answered stays."""

    def __init__(self, most: int, forget: Callable[[Pair], None] = _nothing) -> None:
        self.most = most
        self._forget = forget
        self._known: OrderedDict[Pair, None] = OrderedDict()
        self._kept: frozenset[Pair] = frozenset()
        self._held: Counter[Pair] = Counter()

    def has(self, adapter: str, revision: str) -> bool:
        """Whether a revision has labels of its own already."""
        return (adapter, revision) in self._known

    def of(self, adapter: str, revision: str) -> Pair:
        """The labels of a revision; the base has an empty one."""
        pair = (adapter, revision)
        if pair in self._known:
            self._known.move_to_end(pair)
            return pair
        if len(self._known) >= self.most and not self._make_room():
            return (OTHER, OTHER)
        self._known[pair] = None
        return pair

    def keep(self, pairs: Iterable[Pair]) -> None:
        """These stay from now on, as far as they have labels; nothing else does."""
        self._kept = frozenset(pairs)

    def hold(self, pair: Pair) -> None:
        """A gauge of this pair is raised: it stays until `let_go`."""
        self._held[pair] += 1

    def let_go(self, pair: Pair) -> None:
        """End of a `hold`."""
        self._held[pair] -= 1
        if not self._held[pair]:
            del self._held[pair]

    def _make_room(self) -> bool:
        free = (pair for pair in self._known if pair not in self._kept and pair not in self._held)
        oldest = next(free, None)
        if oldest is None:
            return False
        del self._known[oldest]
        self._forget(oldest)
        return True
