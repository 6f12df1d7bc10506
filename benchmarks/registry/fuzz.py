"""Fuzz of what the registry reads and did not write: manifest, configuration, weights' header, state file, archives.

    python -m benchmarks.registry.fuzz --seconds 180

Real files (the shipped adapter's, its weights cut to two layers) are changed by a seeded random generator, byte by byte
and by tokens that parsers fear, and laid into a registry beside a healthy adapter. What must hold for every input: the
healthy adapter stays as it was, the changed one is refused with one sentence or may serve, a state file reads or is
`Damaged`, an archive is refused or unpacks inside its folder. Anything else is a crash and kept in --keep. The last
line is one JSON document.
"""

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from adapters.provenance import stamp
from adapters.registry.archive import unpack
from adapters.registry.errors import Damaged, Refused
from adapters.registry.limits import SizeLimits
from adapters.registry.reader import Reader
from adapters.registry.state import load_state, save_state
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content
from benchmarks.registry.fuzz_inputs import Mutator, seeds

_SLOW_SECONDS = 2.0
_LIMITS = SizeLimits(1 << 20, 16)


def main() -> int:
    """Fuzz for so many seconds; 1 where something crashed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry.fuzz", description=__doc__)
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adapter", type=Path, help="folder of a revision (default: the shipped one)")
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="folder for inputs that crash something")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fuzz_registry.json"))
    args, before = parser.parse_args(), stamp()
    adapter = args.adapter or next(Path("adapters/cni").glob("????????????"))
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder), adapter, args.seed, args.keep)
        began = time.monotonic()
        while time.monotonic() - began < args.seconds:
            fuzz.one()
        seconds = time.monotonic() - began
    result = {"benchmark": "fuzz_registry", "seed": args.seed, "seconds": round(seconds), **fuzz.counts()}
    result |= before
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 1 if fuzz.crashes else 0


class Fuzz:
    """One registry folder: `good` and `bad`; each input replaces one file of `bad`, the state, or an archive."""

    def __init__(self, folder: Path, adapter: Path, seed: int, keep: Path) -> None:
        self.crashes = 0
        self._keep = keep
        self._dice = random.Random(seed)
        self._mutator = Mutator(self._dice)
        self._inputs: Counter[str] = Counter()
        self._outcomes: dict[str, Counter[str]] = {}
        self._slowest = 0.0
        self._files, base = seeds(adapter)
        self._rules = Rules(base, max_rank=512)
        self._root, self._out = folder / "registry", folder / "out"
        for name in ("good", "bad", "staged"):
            _write(self._root / name, self._files)
        registry = Registry(self._root)
        revision, _ = registry.register("moved", self._root / "staged")
        registry.pin("moved", [revision])
        self._files["state.json"] = (self._root / "state.json").read_bytes()
        self._targets: dict[str, Callable[[bytes], str]] = {
            **{name: self._folder(name) for name in ("manifest.json", "adapter_config.json")},
            "adapter_model.safetensors": self._folder("adapter_model.safetensors"),
            "state.json": self._state,
            **{name: self._archive for name in self._files if name.startswith("archive")},
        }

    def one(self) -> None:
        """One input."""
        name = self._dice.choice(list(self._targets))
        content = self._mutator.change(name, self._files[name], self._files)
        # Of this process' own time: beside other work the clock on the wall says nothing of an input.
        began = time.process_time()
        try:
            outcome = self._targets[name](content)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            outcome = f"CRASH {type(error).__name__}"
            self._crashed(name, content)
        seconds = time.process_time() - began
        self._slowest = max(self._slowest, seconds)
        if seconds > _SLOW_SECONDS:
            outcome = "CRASH too slow"
            self._crashed(name, content)
        self._inputs[name] += 1
        self._outcomes.setdefault(name, Counter())[outcome] += 1

    def counts(self) -> dict[str, object]:
        """What was tried and what came of it."""
        return {
            "inputs": sum(self._inputs.values()),
            "crashes": self.crashes,
            "slowest_seconds": round(self._slowest, 3),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "by_file": {
                name: {"inputs": self._inputs[name], "outcomes": dict(sorted(outcomes.items()))}
                for name, outcomes in sorted(self._outcomes.items())
            },
        }

    def _folder(self, name: str) -> Callable[[bytes], str]:
        path = self._root / "bad" / name

        def check(content: bytes) -> str:
            path.write_bytes(content)
            try:
                return self._read()
            finally:
                path.write_bytes(self._files[name])

        return check

    def _read(self) -> str:
        catalogue = Reader(self._root, self._rules).read()
        (good,) = catalogue.adapter("good").revisions.values()
        assert good.refusal is None, "the healthy adapter is refused"
        assert catalogue.adapter("good").weights == {good.revision: 1.0}
        (bad,) = catalogue.adapter("bad").revisions.values()
        if bad.refusal is not None:
            assert bad.check is not None and "\n" not in bad.refusal and len(bad.refusal) <= 500
            return bad.check
        assert bad.prompt_sha256
        try:
            check_content(bad.folder, bad.manifest, bad.revision)
        except Refused as refused:
            return refused.check
        return "may serve"

    def _state(self, content: bytes) -> str:
        path = self._root / "state.json"
        path.write_bytes(content)
        try:
            state = load_state(self._root)
            assert Reader(self._root, self._rules).read().state == state
            save_state(self._out.parent, state)
            assert load_state(self._out.parent) == state
            return "read"
        except Damaged as damaged:
            assert "\n" not in str(damaged)
            return "damaged"
        finally:
            path.write_bytes(self._files["state.json"])

    def _archive(self, content: bytes) -> str:
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        archive = self._out.with_name("archive")
        archive.write_bytes(content)
        try:
            unpack(archive, self._out, _LIMITS)
            return "unpacked"
        except Refused as refused:
            assert "\n" not in str(refused)
            return refused.check
        finally:
            inside = [path for path in self._out.rglob("*") if path.is_file()]
            assert sum(path.stat().st_size for path in inside) <= _LIMITS.bytes
            assert not any(path.is_symlink() for path in inside)

    def _crashed(self, name: str, content: bytes) -> None:
        self.crashes += 1
        self._keep.mkdir(parents=True, exist_ok=True)
        (self._keep / f"{self.crashes:04d}-{name}").write_bytes(content)
        (self._keep / f"{self.crashes:04d}.txt").write_text(traceback.format_exc(), encoding="utf-8")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        if not name.startswith("archive"):
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
