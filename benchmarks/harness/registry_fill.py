"""Random adapters of a base, validated and registered in a registry folder as `adapters registry add` does."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from adapters.registry.base_model import BaseModel, read_base
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content, check_header

RANK = 16
ATTENTION = ("q_proj", "v_proj")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Filler:
    """Writes to the registry `root`, for the base in `folder`. `scale`: of the random weights."""

    def __init__(self, root: Path, folder: Path, seed: int, scale: float = 0.02) -> None:
        self._registry = Registry(root)
        self._base: BaseModel = read_base(folder)
        self._folder = folder
        self._seed = seed
        self._scale = scale
        self.seconds: list[float] = []

    def add(self, name: str, number: int, targets: tuple[str, ...] = ATTENTION) -> str:
        """Register one adapter; its revision. `number` makes its weights its own; `seconds` keeps how long it took."""
        with self._registry.staging() as staging:
            folder = staging / "content"
            folder.mkdir()
            self._write(folder, number, targets)
            begun = time.perf_counter()
            checked = check_header(folder, Rules(self._base, RANK))
            check_content(folder, checked.manifest, revision_name(content_digest(folder)))
            revision = self._registry.register(name, folder)[0]
            self.seconds.append(time.perf_counter() - begun)
        return revision

    def _write(self, folder: Path, number: int, targets: tuple[str, ...]) -> None:
        from safetensors.numpy import save_file

        random = np.random.default_rng((self._seed, number))
        tensors: dict[str, Any] = {}
        for module, shape in self._base.modules.items():
            if shape is None or not module.endswith(targets):
                continue
            for side, size in (("A", (RANK, shape[1])), ("B", (shape[0], RANK))):
                values = random.standard_normal(size, dtype=np.float32) * self._scale
                tensors[f"base_model.model.{module}.lora_{side}.weight"] = values.astype(np.float16)
        save_file(tensors, folder / "adapter_model.safetensors")
        config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "bias": "none"}
        config |= {"target_modules": list(targets), "base_model_name_or_path": self._folder.name}
        (folder / "adapter_config.json").write_text(json.dumps(config))
