"""The registry of whoever names none: a folder of the user's own, outside of any source tree, with what ships in it.

Each shipped revision is put there once; a list beside the state remembers which, so that a deleted one stays away.
A folder that somebody names is used as it is, unless he asks for the same (`registry seed`), as our image does.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.registry.atomic import write_file
from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import Conflict, Damaged, Unusable
from adapters.registry.folder import copy_adapter
from adapters.registry.limits import SizeLimits
from adapters.registry.lock import writing
from adapters.registry.state import alias_tag, load_state
from adapters.registry.store import Registry
from adapters.settings import Settings

# The package's own folder, in which revisions ship; once users' own lay here too.
SOURCE = Path(__file__).resolve().parents[1]
SHIPPED = ("cni@fa4130d23aa6", "cni-object@be05965059a7", "receipt@b3b0868250bb")
LIST_FILE = "shipped.json"
_REVISION = "[0-9a-f]" * 12
_NAMED = 5  # revisions in a sentence


@dataclass(frozen=True)
class Home:
    """The folder made ready. `put`: what was laid there now; `left`: the user's own that still lie in the source.

    `waiting`: what could not be put yet, and why.
    """

    folder: Path
    source: Path
    put: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> tuple[str, ...]:
        """What its owner should know, a line each."""
        lines = []
        if self.put:
            lines.append(f"registry {self.folder}: the shipped {', '.join(self.put)} put there")
        if self.left:
            more = f" and {len(self.left) - _NAMED} more" if len(self.left) > _NAMED else ""
            lines.append(
                f"{self.source} holds adapters of yours from before ({', '.join(self.left[:_NAMED])}{more}), which are "
                f"not served from {self.folder}: go on with SERVER_ADAPTERS_DIR={self.source}, or move them there."
            )
        return tuple(lines)


def own_registry() -> Path:
    """The default of every registry folder: absolute, and not there before somebody needs it."""
    return Settings().own_registry


def make_ready(root: Path, source: Path = SOURCE, shipped: Sequence[str] = SHIPPED) -> Home:
    """Make the folder, for its owner alone, and put there what ships in `source` and never was put there before.

    `shipped`: as `NAME@REVISION`. Several may do it at once, from several machines. Raises Unusable, Busy.
    """
    try:
        root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        put, waiting = _put_all(root, source, shipped)
        left = tuple(name for name in _lying(source) if name not in shipped and not _place(root, name).exists())
    except OSError as error:
        raise Unusable(
            f"The registry folder {root} cannot be used ({error.strerror or type(error).__name__}): see to it, or name "
            "another one with SERVER_ADAPTERS_DIR."
        ) from error
    return Home(root, source, tuple(put), left, waiting)


def _put_all(root: Path, source: Path, shipped: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What is new there, and what waits: a folder of the user's is in the way, or the state cannot be read."""
    before = _listed(root)
    put: list[str] = []
    waiting: dict[str, str] = {}
    for name in shipped:
        if name in before or not _place(source, name).is_dir():
            continue
        try:
            if not _retired(root, name, before) and _put(Registry(root), _place(source, name), name, before):
                put.append(name)
        except (Conflict, Damaged) as error:
            waiting[name] = str(error)
            continue
        before = _note(root, name)
    return put, waiting


def _note(root: Path, name: str) -> list[str]:
    """Remember it; the list. Under the lock: another process may be doing the same."""
    with writing(root):
        before = _listed(root)
        if name not in before:
            before = [*before, name]
            write_file(root / LIST_FILE, (json.dumps(before, indent=1) + "\n").encode())
        return before


def _put(registry: Registry, folder: Path, name: str, before: Collection[str]) -> bool:
    """Whether it is new there. An alias that means nothing but what shipped before means it from now on."""
    adapter = name.partition("@")[0]
    with registry.staging() as staging:
        taken = copy_adapter(folder, staging / "content", SizeLimits())
        revision, new = registry.register(adapter, taken.folder)
    alias = load_state(registry.root).aliases.get(adapter)
    if alias is not None and {f"{adapter}@{meant}" for meant in alias.weights} <= set(before):
        registry.switch(adapter, {revision: 1.0}, seen=[alias_tag(alias.weights, alias.history)])
    return new


def _retired(root: Path, name: str, before: Collection[str]) -> bool:
    """Whether the adapter shipped before and is gone as a whole: then a newer revision is not wanted either."""
    adapter = name.partition("@")[0]
    return not (root / adapter).exists() and any(one.startswith(f"{adapter}@") for one in before)


def _listed(root: Path) -> list[str]:
    """What was put there before; nothing where the list is missing or spoilt."""
    try:
        names = json.loads((root / LIST_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _lying(source: Path) -> list[str]:
    """Every adapter in the source folder, by its path: `NAME@REVISION`, or `NAME` where its files lie there itself."""
    found = [*source.glob(f"*/{CONFIG_FILE}"), *source.glob(f"*/{_REVISION}/{CONFIG_FILE}")]
    return sorted("@".join(path.parent.relative_to(source).parts) for path in found)


def _place(root: Path, name: str) -> Path:
    return root.joinpath(*name.split("@"))
