"""Registration: on a tested vLLM on a CPU only, once or many times, and never with an exception."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

import pytest
import vllm
from vllm.platforms import current_platform
from vllm.utils.import_utils import resolve_obj_by_qualname

from server.cpu_lora import plugin
from server.cpu_lora.settings import read_settings
from server.cpu_lora.wrapper import GroupedPunicaWrapper

STOCK = "vllm.lora.punica_wrapper.punica_cpu.PunicaWrapperCPU"


@pytest.fixture(autouse=True)
def stock_platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(type(current_platform), "get_punica_wrapper", classmethod(lambda _cls: STOCK))
    yield


def test_registers_and_may_be_called_again() -> None:
    plugin.register()
    plugin.register()
    assert resolve_obj_by_qualname(current_platform.get_punica_wrapper()) is GroupedPunicaWrapper


def test_an_untested_version_is_refused_with_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(vllm, "__version__", "0.99.0+cpu")
    monkeypatch.setattr(plugin.logger, "propagate", True)
    with caplog.at_level("WARNING", logger=plugin.logger.name):
        plugin.logger.addHandler(caplog.handler)
        plugin.register()
        plugin.logger.removeHandler(caplog.handler)
    assert current_platform.get_punica_wrapper() == STOCK
    assert len({record.getMessage() for record in caplog.records}) == 1
    assert "0.99.0" in caplog.records[0].getMessage()


def test_an_untested_version_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm, "__version__", "0.99.0")
    monkeypatch.setenv("CNI_CPU_LORA_ANY_VERSION", "1")
    plugin.register()
    assert current_platform.get_punica_wrapper() == plugin.WRAPPER


@pytest.mark.parametrize(
    ("part", "name", "wrapper"),
    [("writes", "watch", STOCK), ("eager_ops", "use", plugin.WRAPPER)],
    ids=["what answers need", "what is faster"],
)
def test_a_vllm_whose_insides_moved_still_starts(
    monkeypatch: pytest.MonkeyPatch, part: str, name: str, wrapper: str
) -> None:
    def gone() -> None:
        raise AttributeError("moved")

    monkeypatch.setattr(f"server.cpu_lora.{part}.{name}", gone)
    plugin.register()
    assert current_platform.get_punica_wrapper() == wrapper


def test_does_nothing_off_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(current_platform), "is_cpu", lambda _self: False)
    plugin.register()
    assert current_platform.get_punica_wrapper() == STOCK


@pytest.mark.parametrize(("value", "registered"), [("0", False), ("1", True), ("perhaps", False)])
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, registered: bool) -> None:
    monkeypatch.setenv("CNI_CPU_LORA", value)
    plugin.register()
    assert (current_platform.get_punica_wrapper() == plugin.WRAPPER) is registered


def test_a_bad_switch_is_named() -> None:
    with pytest.raises(ValueError, match="CNI_CPU_LORA_ANY_VERSION"):
        read_settings({"CNI_CPU_LORA_ANY_VERSION": "perhaps"})


def test_the_entry_point_is_installed() -> None:
    (found,) = entry_points(group="vllm.general_plugins", name="cni_cpu_lora")
    assert found.load() is plugin.register
