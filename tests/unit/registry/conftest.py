"""A tiny base and what is checked against it."""

from pathlib import Path

import pytest

from adapters.registry.base_model import read_base
from adapters.registry.validate import Rules
from tests.support.tiny_models import write_base


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "tiny-base")


@pytest.fixture(scope="session")
def rules(base_folder: Path) -> Rules:
    return Rules(read_base(base_folder, "tiny-base"), max_rank=16)
