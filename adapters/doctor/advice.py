"""From facts to plain words: what each method needs and whether it is there, and what to do with this machine."""

from dataclasses import dataclass

from adapters.doctor.facts import EIGHT_BITS, Facts
from adapters.doctor.recipe_check import missing

_GIB = 1 << 30
VNNI = frozenset({"AVX-512 VNNI", "AVX VNNI", "AMX INT8"})
# NVIDIA's compute capabilities from which a GPU has the number format, or vLLM a kernel for it (its quantization docs).
_BF16, _INT8, _INT4 = (8, 0), (7, 5), (7, 5)
_NO_INT8 = (10, 0)  # from here on vLLM has no kernel for W8A8 in integers: Blackwell computes in FP8
_BASE = (
    "Base: start with the embedded one, the shipped adapter's own; Qwen3-0.6B takes 4.4 times the memory, as "
    "much more time a token where memory is what it waits for, and an adapter of its own."
)


@dataclass(frozen=True)
class Base:
    """A base that we know: parameters, layers, and the width that a LoRA on q and v adds to a layer a rank."""

    name: str
    parameters: int
    adapter_bytes: int  # r=16 on q_proj and v_proj, bfloat16


BASES = (
    Base("SmolLM2-135M-Instruct (embedded)", 134_515_008, 1_843_200),
    Base("Qwen3-0.6B", 596_049_920, 4_587_520),
)


@dataclass(frozen=True)
class Method:
    """Whether a method can be used here; `why` is one sentence either way."""

    name: str
    usable: bool
    why: str


def methods(facts: Facts) -> tuple[Method, ...]:
    """What the machine allows, method by method."""
    has = set(facts.instructions)
    gpu = bool(facts.gpus)
    able = facts.gpus[0].capability if facts.gpus else (0, 0)
    bf16 = able >= _BF16 or bool(not gpu and has & {"AVX-512 BF16", "AMX BF16"})
    int8 = _INT8 <= able < _NO_INT8 or bool(not gpu and has & VNNI)
    int4 = able >= _INT4 or bool(not gpu and "AVX-512" in has)
    bounds = f"needs a GPU of capability {_named(_INT8)} to below {_named(_NO_INT8)}"
    no_int8 = bounds if gpu else "no VNNI or AMX: slower than bfloat16"
    return (
        Method("serve in bfloat16", "AVX2" in has or gpu, _bf16(bf16, gpu)),
        Method("serve an INT8 base (W8A8)", int8, "integer products in hardware" if int8 else no_int8),
        Method("serve an INT4 base (W4A16)", int4, f"needs AVX-512, or a GPU of capability {_named(_INT4)}"),
        _trained(facts, "train LoRA", "lora", _training(bf16, facts)),
        _trained(facts, "train QLoRA (NF4)", "qlora", _package(facts, "bitsandbytes")),
        _trained(facts, "train with fake quantization (QAT)", "qat-lora", _package(facts, "torchao")),
    )


def advice(facts: Facts, bandwidth: float) -> tuple[str, ...]:
    """Sentences for a person. `bandwidth`: of main memory, bytes a second; a GPU's own is not measured."""
    free = facts.gpus[0].free if facts.gpus else facts.available
    lines = [_serve_on(facts), _bits(facts), _BASE]
    for base in BASES:
        weights = 2 * base.parameters
        floor = "" if facts.gpus else f"a token takes at least {weights / bandwidth * 1000:.1f} ms in 16 bits; "
        room = free - 2 * weights - 2 * _GIB
        if room <= 0:
            lines.append(f"{base.name}: does not fit beside what runs now ({weights / _GIB:.1f} GiB of weights).")
            continue
        fitting = int(room * 0.1 / base.adapter_bytes)
        lines.append(
            f"{base.name}: fits; {floor}about {fitting:,} adapters (r=16 on q and v) fit into a tenth of what is left."
        )
    return tuple(lines)


def _bits(facts: Facts) -> str:
    """Which bits, in one sentence: those that `make up` chooses here, and when to choose others."""
    usable = {method.name: method.usable for method in methods(facts)}
    four = ", four (gptq) where memory is the limit" if usable["serve an INT4 base (W4A16)"] else ""
    if not usable["serve an INT8 base (W8A8)"]:
        return "Bits: 16; eight bits save memory here and cost time."
    if not facts.gpus and EIGHT_BITS in facts.instructions:
        return f"Bits: eight, which make up chooses here by itself; BASE_FORM=bf16 goes back to 16{four}."
    return f"Bits: 16, which make up chooses here; BASE_FORM=int8 where many prompts or memory count{four}."


def _trained(facts: Facts, name: str, method: str, why: str) -> Method:
    """A way to train: usable where the packages of the recipe's `method` are installed."""
    absent = missing(method, facts.versions)
    return Method(name, not absent, f"not installed: {', '.join(absent)}" if absent else why)


def _torch_sees_gpu(facts: Facts) -> bool:
    """Whether the torch of this environment can use the GPU that is there; the CPU build's version says `+cpu`."""
    return bool(facts.gpus) and not facts.versions.get("torch", "").endswith("+cpu")


def _serve_on(facts: Facts) -> str:
    if facts.gpus:
        gpu = facts.gpus[0]
        both = "Serve and train" if _torch_sees_gpu(facts) else "Serve"
        own = (
            "" if _torch_sees_gpu(facts) else "; to train on it, install torch for CUDA: this environment has the CPU's"
        )
        return (
            f"{both} on the {gpu.name} ({gpu.memory / _GIB:.0f} GiB): make up finds it by itself, and the batch that "
            f"its memory holds{own}."
        )
    return f"Serve on the processor, on all of its {facts.cores} cores: make up finds the batch that the memory holds."


def _bf16(bf16: bool, gpu: bool) -> str:
    if gpu:
        return "on the GPU" if bf16 else f"on the GPU, emulated below capability {_named(_BF16)}"
    return "in hardware" if bf16 else "emulated: float32 speed at half the memory"


def _training(bf16: bool, facts: Facts) -> str:
    if _torch_sees_gpu(facts):
        return "on the GPU, minutes for the shipped recipe"
    why = ", because this torch is the CPU's," if facts.gpus else ","
    hours = "about an hour" if bf16 and not facts.gpus else "an hour or more"
    return f"on the processor{why} {hours} for the shipped recipe"


def _named(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _package(facts: Facts, name: str) -> str:
    return f"{name} {facts.versions[name]}" if name in facts.versions else f"{name} is not installed"
