"""The state file: what an alias means and meant before, what stays resident, in which order revisions came."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.registry.atomic import Step, no_step, write_file
from adapters.registry.canonical import canonical_json, text_sha256
from adapters.registry.errors import Damaged

STATE_FILE = "state.json"
LAST_GOOD_FILE = "state.json.bak"
HISTORY = 32  # how many rollbacks are possible, one after another

# A share of traffic in any unit. One that is no number would leave a file that nobody can read again.
MOST_SHARE = 1e6
Share = Annotated[float, Field(gt=0, le=MOST_SHARE, allow_inf_nan=False)]
Weights = dict[str, Share]


class AliasState(BaseModel):
    """One alias. `weights`: revision → share of traffic, in any unit; `history`: earlier weights, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Weights = Field(min_length=1)
    history: list[Weights] = Field(default_factory=list)

    def moved(self, weights: Weights) -> "AliasState":
        """The state after new weights; moving to what already serves changes nothing."""
        if weights == self.weights:
            return self
        return AliasState(weights=weights, history=[*self.history, self.weights][-HISTORY:])


def alias_tag(weights: Weights, history: Iterable[Weights]) -> str:
    """Sixteen hex digits that change whenever an alias does: what a caller saw, and wants to change from."""
    return text_sha256(canonical_json({"weights": weights, "history": list(history)}))[:16]


class State(BaseModel):
    """The whole file. `serial` grows by one with every change.

    `registered`: each adapter's revisions in the order in which they came, with their whole content digest (64 hex
    digits, empty where nobody has computed it). File times say nothing about that order: copies and clones set them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    serial: int = 0
    aliases: dict[str, AliasState] = Field(default_factory=dict)
    pinned: dict[str, list[str]] = Field(default_factory=dict)
    registered: dict[str, dict[str, str]] = Field(default_factory=dict)

    def with_alias(self, name: str, alias: AliasState) -> "State":
        """The state with one alias replaced."""
        return self._next(aliases={**self.aliases, name: alias})

    def with_pins(self, name: str, revisions: list[str]) -> "State":
        """The state with one adapter's pins replaced; none removes the entry."""
        pinned = {key: value for key, value in self.pinned.items() if key != name}
        return self._next(pinned={**pinned, name: sorted(revisions)} if revisions else pinned)

    def with_registered(self, name: str, digests: dict[str, str]) -> "State":
        """The state with one adapter's registrations replaced; none removes the entry."""
        others = {key: value for key, value in self.registered.items() if key != name}
        return self._next(registered={**others, name: digests} if digests else others)

    def without(self, name: str) -> "State":
        """The state in which nothing is said of an adapter."""
        kept = {
            field: {key: value for key, value in getattr(self, field).items() if key != name}
            for field in ("aliases", "pinned", "registered")
        }
        return self._next(**kept)

    def _next(self, **changes: object) -> "State":
        return self.model_copy(update={"serial": self.serial + 1, **changes})


def load_state(root: Path) -> State:
    """The state of a registry folder; an empty one where there is no file. Raises Damaged, OSError."""
    try:
        return _parse((root / STATE_FILE).read_bytes(), STATE_FILE)
    except FileNotFoundError:
        return State()
    except Damaged as error:
        if not (root / LAST_GOOD_FILE).exists():
            raise
        way = f"{error} {LAST_GOOD_FILE} holds the last good one: 'registry restore' brings it back."
        raise Damaged(way) from error


def load_last_good(root: Path) -> State:
    """The state as it was last written. Raises Damaged, OSError."""
    return _parse((root / LAST_GOOD_FILE).read_bytes(), LAST_GOOD_FILE)


def save_state(root: Path, state: State, step: Step = no_step) -> None:
    """Replace the state file, atomically and durably, then the copy of it. Raises Damaged, OSError."""
    content = (state.model_dump_json(indent=1) + "\n").encode()
    if _parse(content, STATE_FILE) != state:
        raise Damaged(f"{STATE_FILE}: what is to be written would not be read again as it is.")
    write_file(root / STATE_FILE, content, step)
    step("keep-last-good")
    write_file(root / LAST_GOOD_FILE, content, step)


def _parse(content: bytes, name: str) -> State:
    try:
        return State.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Damaged(f"{name}: {where[:200]}: {first['msg']}.") from error
