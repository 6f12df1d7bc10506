"""What a CPU server's launch chooses by its machine, each choice with its reason; profile and operator outrank it."""

from collections.abc import Mapping

from server.choice import Choice
from server.fit import BLOCK
from server.machine import Machine
from server.tuned import Tuned

# The engine and the model in one process. vLLM's name for it, `uni`, becomes `mp` on a CPU: two processes that wait for
# each other by spinning, on the cores that the model and the OCR need.
EXECUTOR = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
# A tuned option's name among the choices.
_TUNED_NAMES = {
    "--block-size": "block size",
    "--distributed-executor-backend": "executor",
    "--no-enable-prefix-caching": "prefix caching",
}
_NO_VALUE = {"prefix caching": "off"}
# Variables that tune and that an operator may set; SERVER_* settings have their own names for the rest.
_YOURS = frozenset({"VLLM_CPU_ATTN_SPLIT_KV", "VLLM_CPU_OMP_THREADS_BIND", "KMP_BLOCKTIME", "OMP_NUM_THREADS"})
# Up to this many cores, all of them compute: measured 1.7 times the throughput of vLLM's default on two cores.
_BIND_ALL_CORES = 4
_SPIN = "5"  # milliseconds: the engine's Python between two steps takes less


def given(choice: Choice, environ: Mapping[str, str]) -> Choice:
    """What the operator exported outranks what we, or a profile, would choose."""
    yours = choice.name in _YOURS or choice.name.startswith("CNI_CPU_LORA")
    if yours and environ.get(choice.name, choice.value) != choice.value:
        return Choice(choice.name, environ[choice.name], "set by you in the environment")
    return choice


def with_profile(chosen: list[Choice], machine: Machine, tuned: Tuned | None) -> list[Choice]:
    """The choices with a profile's in their place, and a line that says where the profile is or would be."""
    if tuned is None:
        return [*chosen, Choice("tuned profile", "none", f"make bench-tune would write {machine.profile}")]
    why = "measured on this machine by make bench-tune; SERVER_TUNED_PROFILE=none leaves it out"
    replaced = {_TUNED_NAMES.get(name, name): value for name, value in tuned.options.items()} | tuned.environment
    kept = [choice for choice in chosen if choice.name not in replaced]
    made = [Choice(name, value or _NO_VALUE.get(name, "on"), why) for name, value in replaced.items()]
    return [*kept, *made, Choice("tuned profile", str(tuned.path), f"{len(made)} choices replaced")]


def on_cpu(machine: Machine, preload: str, tuned: Tuned | None) -> list[Choice]:
    """`preload`: the caller's LD_PRELOAD, which stays."""
    chosen = _threads(machine)
    chosen.append(Choice("executor", EXECUTOR.rpartition(".")[2], "no second process that spins on the same cores"))
    chosen.append(
        Choice("block size", str(BLOCK), "the prompts' fixed beginning fits whole blocks of the prefix cache")
    )
    chosen += [
        Choice("prefix caching", "on", "cards of one document begin alike"),
        Choice("compilation", "none", "vLLM compiles nothing on a CPU that serves LoRA; the kernel below stands in"),
        _compiler(machine),
    ]
    libraries = {"tcmalloc": machine.tcmalloc, "libiomp5": machine.iomp5}
    if tuned is not None and tuned.preload is not None:
        libraries = {name: path for name, path in libraries.items() if name in tuned.preload}
    found = [str(path) for path in libraries.values() if path is not None]
    if found:
        value = ":".join([*found, *filter(None, [preload])])
        chosen.append(Choice("LD_PRELOAD", value, "measured 1.3 times the throughput on two cores"))
    for name in (name for name, path in libraries.items() if path is None):
        chosen.append(Choice(name, "not found", "slower: install it to preload it"))
    return chosen


def _threads(machine: Machine) -> list[Choice]:
    """A quota's threads are bound to no cores: other containers on this machine would be bound to the same ones."""
    if machine.threads < len(machine.cores):
        why = f"the container's quota leaves {machine.quota:g} of {len(machine.cores)} cores; more threads would stall"
        return [
            Choice("VLLM_CPU_OMP_THREADS_BIND", "nobind", "cores of a quota are nobody's own"),
            Choice("OMP_NUM_THREADS", str(machine.threads), why),
            Choice("KMP_BLOCKTIME", _SPIN, "threads that wait by spinning use up the quota"),
        ]
    if len(machine.cores) <= _BIND_ALL_CORES:
        cores = ",".join(str(core) for core in machine.cores)
        return [
            Choice("VLLM_CPU_OMP_THREADS_BIND", cores, "few cores: vLLM would keep one of them idle"),
            Choice("KMP_BLOCKTIME", _SPIN, "few cores: for 200 ms after an answer its threads would spin on the OCR's"),
        ]
    return []


def _compiler(machine: Machine) -> Choice:
    if machine.compiler is None:
        return Choice("C++ compiler", "not found", "slower: install g++ for the kernel of LoRA and decode steps")
    return Choice("C++ compiler", machine.compiler.name, "compiles the kernel of LoRA and decode steps, once")
