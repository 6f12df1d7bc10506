"""The only place of `adapters` that reads the environment. Frozen, built once, passed on."""

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where `adapters` keeps what it can make again, and what it cannot."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    cache_home: Path = Field(
        default=Path.home() / ".cache",
        validation_alias="XDG_CACHE_HOME",
        description="below it lies our cache, cni-lora-server: converted bases, prepared data",
    )

    @property
    def cache(self) -> Path:
        """Our folder in the user's cache: converted bases, prepared data."""
        return self.cache_home / "cni-lora-server"

    data_home: Path | None = Field(
        default=None,
        validation_alias="XDG_DATA_HOME",
        description="below it lies the registry of whoever names none, cni-lora-server/registry",
    )
    # The server's own setting: what serves from there is switched and added there.
    served: Path | None = Field(
        default=None,
        validation_alias="SERVER_ADAPTERS_DIR",
        description="the registry folder, as for the model server; --registry of a command names another",
    )

    @property
    def own_registry(self) -> Path:
        """The registry folder of whoever names none: the user's own, absolute, outside of any source tree."""
        home = self.data_home
        if home is None or not home.is_absolute():  # a relative one counts for nothing, says the XDG specification
            home = Path.home() / ".local" / "share"
        return home / "cni-lora-server" / "registry"

    @property
    def registry(self) -> Path:
        """The registry folder that the environment names, else the user's own."""
        return self.served or self.own_registry

    trackers: str = Field(
        default="",
        validation_alias="ADAPTERS_TRACKERS",
        description="where training writes its curves, by comma: tensorboard, mlflow, wandb; or none",
    )

    @property
    def tracker_names(self) -> tuple[str, ...]:
        """Out of `tensorboard,mlflow,wandb` or `none`; unset: TensorBoard's files, where their writer is installed."""
        names = tuple(name.strip() for name in self.trackers.split(",") if name.strip())
        if names:
            return tuple(name for name in names if name != "none")
        return ("tensorboard",) if find_spec("tensorboardX") else ()
