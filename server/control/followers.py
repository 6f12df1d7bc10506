"""Which adapter the same caller asks next: the two sides of a card, the pages of a file, the steps of a flow."""

from collections import Counter, OrderedDict

_CALLERS, _ADAPTERS, _NEXT = 10_000, 10_000, 16
_LEAST, _SHARE = 4, 0.5  # as often, and this share of the times, one must have come after the other


class Followers:
    """Bounded; what was asked longest ago is forgotten first."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, str] = OrderedDict()
        self._after: OrderedDict[str, Counter[str]] = OrderedDict()

    def asked(self, caller: int, adapter: str) -> str | None:
        """A caller asks for an adapter; the one that it asks next more often than not."""
        before = self._last.pop(caller, None)
        self._last[caller] = adapter
        if len(self._last) > _CALLERS:
            self._last.popitem(last=False)
        if before is not None:
            self._note(before, adapter)
        after = self._after.get(adapter)
        if not after:
            return None
        name, count = after.most_common(1)[0]
        return name if name != adapter and count >= _LEAST and count >= _SHARE * after.total() else None

    def _note(self, before: str, adapter: str) -> None:
        after = self._after.setdefault(before, Counter())
        self._after.move_to_end(before)
        after[adapter] += 1
        if len(after) > _NEXT:
            del after[min(after, key=after.__getitem__)]
        if after.total() > 1000:  # old habits count less and less
            self._after[before] = Counter({name: count // 2 for name, count in after.items() if count > 1})
        if len(self._after) > _ADAPTERS:
            self._after.popitem(last=False)
