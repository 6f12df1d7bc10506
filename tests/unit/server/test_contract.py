"""What we rely upon in vLLM is there, and what is not there is found and named."""

import pytest

from server.vllm.contract import PARTS, TESTED, ContractError, broken, check_version, installed, require


@pytest.mark.parametrize("part", sorted(PARTS))
def test_the_installed_vllm_has_all_of_it(part: str) -> None:
    assert not broken(PARTS[part])  # type: ignore[index]


def test_the_installed_version_is_a_tested_one_and_so_is_what_the_package_asks_for() -> None:
    assert installed() in TESTED["cpu"]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("vllm.nowhere:Thing", "ModuleNotFoundError"),
        ("vllm.lora.request:LoRARequest.gone", "AttributeError"),
        ("vllm.lora.request:LoRARequest(lora_name, lora_colour)", "without lora_colour"),
        ("vllm.outputs:RequestOutput{outputs, smell}", "without smell"),
        ("vllm.lora.model_manager:LoRAModelManager.self.modules_of_old", "without modules_of_old"),
        ("vllm.lora.request LoRARequest", "not an entry"),
    ],
)
def test_what_is_missing_is_named(entry: str, fault: str) -> None:
    (found,) = broken([entry, "vllm.lora.request:LoRARequest(lora_name)"])
    assert fault in found and found.startswith(entry.partition("(")[0].partition("{")[0])


def test_an_untested_version_is_refused_unless_asked_for() -> None:
    with pytest.raises(ContractError, match=r"vLLM 0\.99\.0 is not among .*SERVER_ANY_VLLM=1"):
        check_version("0.99.0", False)
    check_version("0.99.0", True)
    with pytest.raises(ContractError, match="not installed"):
        check_version(None, True)


def test_names_are_checked_whatever_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.vllm.contract.PARTS", {"server": ("vllm.gone:one", "vllm.gone:two")})
    with pytest.raises(ContractError, match=r"does not have .* vllm\.gone:one .* and 1 more"):
        require("server", "0.99.0", True)
