"""The only place of `adapters` that reads the environment. Frozen, built once, passed on."""

from importlib.util import find_spec
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where `adapters` keeps what it can make again."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    cache_home: Path = Field(default=Path.home() / ".cache", validation_alias="XDG_CACHE_HOME")

    @property
    def cache(self) -> Path:
        """Our folder in the user's cache: converted bases, prepared data."""
        return self.cache_home / "cni-lora-server"

    trackers: str = Field(default="", validation_alias="ADAPTERS_TRACKERS")

    @property
    def tracker_names(self) -> tuple[str, ...]:
        """Out of `tensorboard,mlflow,wandb` or `none`; unset: TensorBoard's files, where their writer is installed."""
        names = tuple(name.strip() for name in self.trackers.split(",") if name.strip())
        if names:
            return tuple(name for name in names if name != "none")
        return ("tensorboard",) if find_spec("tensorboardX") else ()
