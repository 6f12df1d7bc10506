"""The state file: which revisions an alias means, what it meant before, what stays resident."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.registry.atomic import Step, no_step, write_file

STATE_FILE = "state.json"
HISTORY = 32  # how many rollbacks are possible, one after another

Weights = dict[str, float]


class AliasState(BaseModel):
    """One alias. `weights`: revision → share of traffic, in any unit; `history`: earlier weights, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Weights
    history: list[Weights] = Field(default_factory=list)

    def moved(self, weights: Weights) -> "AliasState":
        """The state after new weights; moving to what already serves changes nothing."""
        if weights == self.weights:
            return self
        return AliasState(weights=weights, history=[*self.history, self.weights][-HISTORY:])


class State(BaseModel):
    """The whole file. `serial` grows by one with every change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    serial: int = 0
    aliases: dict[str, AliasState] = Field(default_factory=dict)
    pinned: dict[str, list[str]] = Field(default_factory=dict)

    def with_alias(self, name: str, alias: AliasState) -> "State":
        """The state with one alias replaced."""
        return self._next(aliases={**self.aliases, name: alias})

    def with_pins(self, name: str, revisions: list[str]) -> "State":
        """The state with one adapter's pins replaced; none removes the entry."""
        pinned = {key: value for key, value in self.pinned.items() if key != name}
        return self._next(pinned={**pinned, name: sorted(revisions)} if revisions else pinned)

    def _next(self, **changes: object) -> "State":
        return self.model_copy(update={"serial": self.serial + 1, **changes})


def load_state(root: Path) -> State:
    """The state of a registry folder; an empty one where there is no file. Raises ValueError when it is damaged."""
    try:
        return State.model_validate_json((root / STATE_FILE).read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{STATE_FILE}: {where}: {first['msg']}") from error


def save_state(root: Path, state: State, step: Step = no_step) -> None:
    """Replace the state file, atomically and durably. Raises OSError."""
    write_file(root / STATE_FILE, (state.model_dump_json(indent=1) + "\n").encode(), step)
