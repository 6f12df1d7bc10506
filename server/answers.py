"""The answers given lately, so that a report about one can be held against what it is about."""

from collections import OrderedDict
from dataclasses import dataclass

_MOST = 10_000


@dataclass
class Given:
    """An adapter's answer. `key`: whose request it was; `judged`: somebody has reported on it."""

    key: str
    adapter: str
    revision: str
    judged: bool = False


class Answers:
    """By request id; the oldest are forgotten. A request id that comes again stands for its last answer."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._given: OrderedDict[str, Given] = OrderedDict()

    def add(self, request_id: str, given: Given) -> None:
        """An answer went out."""
        self._given.pop(request_id, None)
        self._given[request_id] = given
        while len(self._given) > self._most:
            self._given.popitem(last=False)

    def judge(self, request_id: str, key: str | None, adapter: str, revision: str) -> bool:
        """Whether a report counts: about an answer of this revision, to this key (None: whose ever), for the first
        time."""
        given = self._given.get(request_id)
        if given is None or given.judged or (given.adapter, given.revision) != (adapter, revision):
            return False
        if key is not None and given.key != key:
            return False
        given.judged = True
        return True
