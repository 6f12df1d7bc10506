"""Adapters found by name: one look for many askers, none for what is not there, a bounded disk, safe patterns."""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.registry.catalogue import Adapter, Catalogue, Revision
from adapters.registry.contents import Taken
from adapters.registry.errors import NoSource, SourceError
from server.control.fetched import Fetched
from server.control.on_demand import OnDemand
from server.errors import NotHere, Unavailable, Unprocessable
from server.patterns import check_patterns
from server.settings import Settings
from server.sources import fetch_by_name

DAY = 24 * 3600.0


class Source:
    """Brings what it has, and counts how often it was asked."""

    def __init__(self, *names: str) -> None:
        self.names, self.asked = set(names), list[str]()
        self.fault: Exception | None = None

    def __call__(self, name: str, staging: Path) -> Taken:
        self.asked.append(name)
        if self.fault is not None:
            raise self.fault
        if name not in self.names:
            raise NotHere("nothing")
        (staging / "content").mkdir()
        return Taken(staging / "content", ())


class FakeAdmin:
    """Registers and retires in a catalogue; each revision has 100 bytes."""

    def __init__(self, folder: Path) -> None:
        self.audited: list[tuple[str, str]] = []
        self.refuse: Exception | None = None
        self.held: set[str] = set()
        self._folder = folder
        self.plane = SimpleNamespace(
            catalogue=Catalogue(),
            registry=self,
            lanes=self,
            residency=SimpleNamespace(in_use=lambda name: name.partition("@")[0] in self.held),
        )

    @contextmanager
    def staging(self) -> Any:
        made = self._folder / f"staging-{len(self.audited)}-{len(list(self._folder.iterdir()))}"
        made.mkdir()
        yield made

    async def registry(self, work: Any, *arguments: Any) -> Any:
        return work(*arguments)

    async def fetch(self, work: Any, *arguments: Any) -> Any:
        await asyncio.sleep(0.001)
        return work(*arguments)

    async def register(self, who: str, name: str, fetch: Any) -> None:
        if self.refuse is not None:
            raise self.refuse
        inner = self._folder / f"inner-{name}"
        inner.mkdir()
        assert fetch(inner).folder.is_dir()
        self.audited.append(("register", name))
        adapters = {**self.plane.catalogue.adapters, name: adapter(name)}
        self.plane.catalogue = Catalogue(adapters)

    async def retire(self, who: str, name: str) -> None:
        self.audited.append(("retire", name))
        self.plane.catalogue = Catalogue({k: v for k, v in self.plane.catalogue.adapters.items() if k != name})


def adapter(name: str, *more: str, pinned: frozenset[str] = frozenset()) -> Adapter:
    revisions = {one: Revision(name, one, Path("/nowhere"), 100, 0) for one in ("a" * 12, *more)}
    return Adapter(name, revisions, {"a" * 12: 1.0}, (), pinned)


class Case:
    def __init__(self, folder: Path, *names: str, most: int = 10_000) -> None:
        self.now = [0.0]
        (folder / "work").mkdir()
        self.admin, self.source = FakeAdmin(folder / "work"), Source(*names)
        self.fetched = Fetched(folder, most, lambda: DAY + self.now[0])
        self.on_demand = OnDemand(self.admin, self.source, self.fetched, lambda: self.now[0])  # type: ignore[arg-type]


async def test_many_askers_share_one_look_and_what_is_there_is_not_looked_for(tmp_path: Path) -> None:
    case = Case(tmp_path, "cni")
    await asyncio.gather(*(case.on_demand.find("cni") for _ in range(20)))
    await case.on_demand.find("cni")
    assert case.source.asked == ["cni"]
    assert case.admin.audited == [("register", "cni")]


async def test_what_is_not_there_is_404_and_asked_for_less_and_less_often(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for _ in range(5):
        with pytest.raises(NotHere, match=r"The model 'none' does not exist\."):
            await case.on_demand.find("none")
    assert case.source.asked == ["none"]
    for _ in range(3600):
        case.now[0] += 10
        with pytest.raises(NotHere):
            await case.on_demand.find("none")
    assert len(case.source.asked) < 25, "ten hours"
    assert case.admin.audited == [], "a guess at a name is no admin action"
    case.source.names.add("none")
    case.now[0] += 3601
    await case.on_demand.find("none")


@pytest.mark.parametrize("name", ["../secret", "a/b", "a%2fb", "", ".hidden", "x" * 65, "a\nb", "{name}"])
async def test_a_name_that_is_none_is_never_looked_for(tmp_path: Path, name: str) -> None:
    case = Case(tmp_path, name)
    await case.on_demand.find(name)
    assert case.source.asked == []


async def test_a_source_in_trouble_is_503_for_a_moment_and_a_refused_adapter_404(tmp_path: Path) -> None:
    case = Case(tmp_path, "cni")
    case.source.fault = SourceError("The source cannot be reached (ConnectError).")
    with pytest.raises(Unavailable) as told:
        await case.on_demand.find("cni")
    assert told.value.headers["Retry-After"] == "10" and "cannot be reached" in told.value.message
    case.source.fault, case.now[0] = RuntimeError("secret text"), 11
    with pytest.raises(Unavailable) as told:
        await case.on_demand.find("cni")
    assert "secret" not in told.value.message
    case.source.fault, case.now[0] = None, 100
    case.admin.refuse = Unprocessable("Another base.", code="base")
    with pytest.raises(NotHere, match="cni cannot serve: Another base"):
        await case.on_demand.find("cni")


async def test_the_longest_unused_leave_the_disk_but_none_that_answers(tmp_path: Path) -> None:
    case = Case(tmp_path, *"abcde", most=300)
    for place, name in enumerate("abc"):
        case.now[0] = place * 100.0
        await case.on_demand.find(name)
        case.on_demand.used(name)
    case.now[0] = 1000.0
    case.on_demand.used("a")
    await case.on_demand.find("d")
    assert set(case.admin.plane.catalogue.adapters) == {"a", "c", "d"}
    case.admin.held.add("c")
    await case.on_demand.find("e")
    assert set(case.admin.plane.catalogue.adapters) >= {"a", "c", "e"}, "who answers stays, and somebody has room"


def test_what_an_operator_has_taken_over_stays(tmp_path: Path) -> None:
    fetched = Fetched(tmp_path, 100)
    for name in ("mine", "pinned", "other"):
        fetched.note(name)
    catalogue = Catalogue(
        {
            "mine": adapter("mine", "b" * 12),
            "pinned": adapter("pinned", pinned=frozenset({"a" * 12})),
            "other": adapter("other"),
        }
    )
    assert fetched.too_many(catalogue) == []
    assert Fetched(tmp_path, 99).too_many(catalogue) == ["other"], "a restart knows them still"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("hf://team", "needs {name} once"),
        ("hf://team/{name}/{name}", "needs {name} once"),
        ("hf://team/{name}/{other}", "needs {name} once"),
        ("hf://team/../{name}", "must not climb"),
        ("hf://team/%2e%2e/{name}", "must not climb"),
        ("s3://models/{name}", "is under no prefix of SERVER_REMOTE_SOURCES"),
        ("hf://teams/{name}", "is under no prefix"),
        ("hf://{name}", "is under no prefix"),
        ("found/{name}", "SERVER_IMPORT_ROOT is not set"),
    ],
)
def test_a_pattern_that_could_lead_elsewhere_stops_the_start(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("{", r"\{").replace("}", r"\}")):
        check_patterns([pattern], ["hf://team/"], has_root=False)
    with pytest.raises(ValueError, match="Value error"):
        Settings(on_demand=pattern, remote_sources="hf://team/")


def test_the_first_pattern_that_finds_it_brings_it(tmp_path: Path) -> None:
    for place, name in (("one", "cni"), ("two", "cni"), ("two", "other")):
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(f'"{place}"')
        (folder / "adapter_model.safetensors").write_bytes(b"x")
    address = f"file://{tmp_path}/two"
    settings = Settings(import_root=tmp_path, remote_sources=address, on_demand=f"one/{{name}},{address}/{{name}}")
    from adapters.registry.limits import SizeLimits

    for number, (name, place) in enumerate((("cni", "one"), ("other", "two"))):
        staging = tmp_path / f"staging{number}"
        staging.mkdir()
        taken = fetch_by_name(name, staging, settings, SizeLimits())
        assert (taken.folder / "adapter_config.json").read_text() == f'"{place}"'
    (tmp_path / "staging2").mkdir()
    with pytest.raises(NotHere):
        fetch_by_name("none", tmp_path / "staging2", settings, SizeLimits())


def test_nothing_there_is_told_from_a_source_in_trouble() -> None:
    assert issubclass(NoSource, SourceError)
