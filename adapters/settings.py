"""The only place of `adapters` that reads the environment. Frozen, built once, passed on."""

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
