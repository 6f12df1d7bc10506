"""The labels that say whose a figure is: so many revisions have their own, all others share `other`."""

OTHER = "other"
WHO = ("adapter", "revision")


class Labels:
    """Gives each revision labels of its own, until there are `most`; then `other`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: set[tuple[str, str]] = set()

    def has(self, adapter: str, revision: str) -> bool:
        """Whether a revision has labels of its own already."""
        return (adapter, revision) in self._known

    def of(self, adapter: str, revision: str) -> tuple[str, str]:
        """The labels of a revision; the base has an empty one."""
        pair = (adapter, revision)
        if pair not in self._known:
            if len(self._known) >= self.most:
                return (OTHER, OTHER)
            self._known.add(pair)
        return pair
