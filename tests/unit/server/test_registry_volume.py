"""How full the registry's volume is, as the metrics say it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from server.collect import ServerCollector


def _said(folder: Path) -> dict[str, float]:
    nothing = cast(Any, None)
    collector = ServerCollector(nothing, nothing, nothing, nothing, 0, folder, nothing)
    return {sample.labels["state"]: sample.value for family in collector._volume() for sample in family.samples}


def test_size_and_free_bytes_are_those_of_the_folder_s_volume(tmp_path: Path) -> None:
    said, volume = _said(tmp_path), shutil.disk_usage(tmp_path)
    assert said["size"] == volume.total
    assert 0 < said["free"] < said["size"]


def test_a_share_that_is_away_says_nothing_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr("server.collect.shutil.disk_usage", away)
    assert _said(tmp_path) == {}
