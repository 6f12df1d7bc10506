"""Closed: what must hold before the engine's process is started, and once more of the engine that did start."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.cpu_lora.settings import WRAPPER, CpuLoraSettings, read_settings
from server.settings import Settings
from server.vllm.contract import ContractError, check_version

_STOCK = (
    "vLLM's own LoRA for CPUs answers requests to the base with an adapter's weights: leave CNI_CPU_LORA on, "
    "or accept that with SERVER_ALLOW_STOCK_CPU_LORA=1"
)


def check_before(settings: Settings, environ: Mapping[str, str], version: str | None, cpu_only: bool) -> None:
    """Raise ContractError for a launch whose engine could answer wrongly. `environ`: as the engine will have it."""
    check_version(version, settings.any_vllm, "cpu" if cpu_only else "server")
    if not cpu_only:
        return
    try:
        switches = read_settings(environ)
    except ValueError as error:
        raise ContractError(str(error)) from error
    if not switches.enabled and not settings.allow_stock_cpu_lora:
        raise ContractError(f"CNI_CPU_LORA is off and {_STOCK}.")


async def check_engine(client: Any, settings: Settings) -> dict[str, str]:
    """Install the slots' protection in every worker; what they say of their LoRA. Raises ContractError.

    `client`: vLLM's engine client. The answer: wrapper (its class), kernel ("on" or "off") and step ("on" or "off").
    """
    try:
        workers: Sequence[dict[str, str]] = await client.collective_rpc("cni_begin")
    except Exception as error:
        raise ContractError(f"the engine's workers could not be prepared ({type(error).__name__})") from error
    facts = workers[0]
    own = WRAPPER.rpartition(".")[2]
    if facts["platform"] == "cpu" and facts["wrapper"] != own and not settings.allow_stock_cpu_lora:
        raise ContractError(f"the engine serves LoRA by {facts['wrapper']} instead of {own}, and {_STOCK}.")
    return {name: facts[name] for name in ("wrapper", "kernel", "step")}


def describe(wrappers: Sequence[Any], platform: str, switches: CpuLoraSettings) -> dict[str, str]:
    """What a worker answers; `wrappers`: of its LoRA manager."""
    names = sorted({type(wrapper).__name__ for wrapper in wrappers})
    kernel = any(getattr(wrapper, "has_kernel", False) for wrapper in wrappers)
    step = kernel and switches.linear and switches.step
    return {
        "platform": platform,
        "wrapper": "+".join(names),
        "kernel": "on" if kernel else "off",
        "step": "on" if step else "off",
    }
