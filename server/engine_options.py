"""vLLM's own options, passed through: what this server does not choose itself is the operator's to choose."""

import shlex

# What would open a way past the gate, or is chosen by a setting of this server.
_REFUSED = {
    **dict.fromkeys(
        ("--middleware", "--worker-extension-cls", "--enable-lora", "--no-enable-lora", "--lora-modules", "--uds"),
        "this server depends on its own",
    ),
    **dict.fromkeys(("--api-key", "--ssl-keyfile", "--root-path"), "keys are in SERVER_KEYS_FILE, TLS is a proxy's"),
    **dict.fromkeys(("--config", "--api-server-count", "--headless"), "the command line is this server's own"),
    **dict.fromkeys(
        ("--enable-log-requests", "--enable-log-outputs", "--log-config-file", "--uvicorn-log-level"),
        "no prompt is logged",
    ),
    **dict.fromkeys(("--structured-outputs-config", "--shutdown-timeout"), "this server depends on its own"),
    "--model": "set SERVER_MODEL",
    "--served-model-name": "set SERVER_MODEL_NAME",
    "--host": "set SERVER_HOST",
    "--port": "set SERVER_PORT",
    "--dtype": "set SERVER_DTYPE",
    "--max-loras": "set SERVER_MAX_LORAS",
    "--max-lora-rank": "set SERVER_MAX_LORA_RANK",
    "--max-cpu-loras": "set SERVER_MAX_CPU_LORAS",
    "--max-model-len": "set SERVER_MAX_MODEL_LEN",
    "--max-num-seqs": "set SERVER_MAX_NUM_SEQS",
    "--kv-cache-dtype": "set SERVER_KV_CACHE_DTYPE",
    "--allowed-origins": "pages of other sites get nothing",
}


def parse(text: str) -> list[str]:
    """The words of SERVER_ENGINE_OPTIONS. Raises ValueError with one sentence that names what is refused, and why."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"engine_options cannot be split into words ({error})") from error
    if words and not words[0].startswith("-"):
        raise ValueError(f"engine_options must begin with an option, not with {words[0]!r}")
    for word in words:
        if not word.startswith("--"):
            continue
        option = word.partition("=")[0].partition(".")[0].replace("_", "-")
        # vLLM takes the beginning of an option for the option.
        for refused, why in _REFUSED.items():
            if refused == option or (len(option) > len("--") and refused.startswith(option) and option not in _WHOLE):
                raise ValueError(f"engine_options may not hold {option}: {why}")
    return words


# Options that are the beginning of a refused one and yet their own.
_WHOLE = frozenset({"--max-num-batched-tokens"})
