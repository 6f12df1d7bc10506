"""Registration: on a tested vLLM on a CPU only, once or many times; what cannot be right ends the process."""

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


def stopped() -> str:
    """The sentence with which the process ends."""
    with pytest.raises(SystemExit) as ended:
        plugin.register()
    assert current_platform.get_punica_wrapper() == STOCK
    text = str(ended.value.code)
    assert text.startswith("[server] cannot start: ") and "\n" not in text
    return text


def test_an_untested_version_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm, "__version__", "0.99.0+cpu")
    assert "0.99.0" in stopped()


def test_an_untested_version_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm, "__version__", "0.99.0")
    monkeypatch.setenv("CNI_CPU_LORA_ANY_VERSION", "1")
    plugin.register()
    assert current_platform.get_punica_wrapper() == plugin.WRAPPER


def test_a_vllm_whose_insides_moved_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.vllm.contract.PARTS", {"cpu": ("vllm.lora.model_manager:LoRAModelManager.gone()",)})
    assert "LoRAModelManager.gone" in stopped()


def test_what_fails_all_the_same_does_not_start_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise AttributeError("moved")

    monkeypatch.setattr("server.cpu_lora.writes.watch", gone)
    assert "AttributeError" in stopped()


def test_does_nothing_off_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(current_platform), "is_cpu", lambda _self: False)
    plugin.register()
    assert current_platform.get_punica_wrapper() == STOCK


@pytest.mark.parametrize(("value", "registered"), [("0", False), ("1", True)])
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, registered: bool) -> None:
    monkeypatch.setenv("CNI_CPU_LORA", value)
    plugin.register()
    assert (current_platform.get_punica_wrapper() == plugin.WRAPPER) is registered


@pytest.mark.parametrize("name", ["CNI_CPU_LORA", "CNI_CPU_LORA_STEP", "CNI_CPU_LORA_ANY_VERSION"])
def test_a_bad_switch_is_named_and_ends_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "ture")
    assert f"{name} must be 1 or 0" in stopped()


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match=r"CNI_CPU_LORA_KERNLE is not .* mean CNI_CPU_LORA_KERNEL"):
        read_settings({"CNI_CPU_LORA_KERNLE": "0"})


def test_the_entry_point_is_installed() -> None:
    (found,) = entry_points(group="vllm.general_plugins", name="cni_cpu_lora")
    assert found.load() is plugin.register
