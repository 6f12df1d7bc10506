"""Board *Engine and machine*: vLLM's batch, queue and caches, and what the processes take of the machine."""

from grafana_foundation_sdk.builders import dashboard

from deploy.dashboards.parts import WINDOW, Limits, Line, graph, new_board, number, or_zero, quantiles, row

_HERE = 'instance=~"$instance"'


def board() -> dashboard.Dashboard:
    """The board to open when everything is slow."""
    made = new_board(
        "cni-engine",
        "CNI · Engine and machine",
        "Why it is slow: a full KV cache, a long queue, a small batch, or a machine that gives no more.",
        "vllm:num_requests_running",
    )
    _batch(made)
    _caches(made)
    _tokens(made)
    _machine(made)
    return made


def _per_second(metric: str, by: str = "instance") -> str:
    return f"sum by ({by}) (rate({metric}{{{_HERE}}}[{WINDOW}]))"


def _ratio(part: str, whole: str) -> str:
    return f"{_per_second(part)} / clamp_min({_per_second(whole)}, 1e-9)"


def _batch(made: dashboard.Dashboard) -> None:
    row(made, "Batch and queue")
    tokens = _ratio("vllm:iteration_tokens_total_sum", "vllm:iteration_tokens_total_count")
    panels = [
        graph(
            "Running and waiting",
            "short",
            "Running at SERVER_MAX_NUM_SEQS with some waiting: saturated. Add a replica or a larger batch.",
            Line(f"sum by (instance) (vllm:num_requests_running{{{_HERE}}})", "{{instance}} running"),
            Line(f"sum by (instance) (vllm:num_requests_waiting{{{_HERE}}})", "{{instance}} waiting"),
            limits=Limits(16, 32),
        ),
        graph(
            "Waiting, by reason",
            "short",
            "capacity: batch or KV cache full. deferred: waits for an adapter slot; raise SERVER_MAX_LORAS.",
            Line(f"sum by (reason) (vllm:num_requests_waiting_by_reason{{{_HERE}}})", "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Tokens in a step (mean)",
            "short",
            "The batch's real size. Large with few answers: long prompts; look at prefix-cache hits.",
            Line(tokens, "{{instance}}"),
        ),
        graph(
            "Waiting for the engine",
            "s",
            "Arrival to first step.",
            *quantiles("vllm:request_queue_time_seconds", _HERE),
            limits=Limits(0.5, 1),
        ),
        graph(
            "Prefill",
            "s",
            "Reading the prompt. Grows with OCR lines and with misses of the prefix cache.",
            *quantiles("vllm:request_prefill_time_seconds", _HERE),
        ),
        graph(
            "Between tokens",
            "s",
            "The engine's pace under its load. All percentiles together: cores are shared or throttled.",
            *quantiles("vllm:inter_token_latency_seconds", _HERE),
            limits=Limits(0.05, 0.1),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _caches(made: dashboard.Dashboard) -> None:
    row(made, "KV cache")
    hits = _ratio("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total")
    panels = [
        graph(
            "KV cache in use",
            "percentunit",
            "Near 1 the engine preempts requests: raise SERVER_KV_CACHE_GIB or add a replica. Runbook "
            "KvCacheExhausted.",
            Line(f"max by (instance) (vllm:kv_cache_usage_perc{{{_HERE}}})", "{{instance}}"),
            limits=Limits(0.8, 0.95),
        ),
        graph(
            "KV cache in bytes",
            "bytes",
            "Used and free of the size chosen at the start.",
            Line(f"sum by (state) (cni_server_kv_cache_bytes{{{_HERE}}})", "{{state}}"),
            stacked=True,
        ),
        graph(
            "Preemptions",
            "ops",
            "Requests put back for want of KV cache; their work is done twice. Should be zero.",
            Line(_per_second("vllm:num_preemptions_total"), "{{instance}}"),
            limits=Limits(0.01, 0.1),
        ),
        graph(
            "Prefix-cache hits",
            "percentunit",
            "Share of prompt tokens found. The fixed part of the prompt should hit: low after a switch, then high.",
            Line(hits, "{{instance}}"),
            limits=Limits(0.5, 0.2, below=True),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _tokens(made: dashboard.Dashboard) -> None:
    row(made, "Work done")
    panels = [
        graph(
            "Tokens a second",
            "short",
            "Prompt and generated. Compare with docs/reference/capacity.md.",
            Line(_per_second("vllm:prompt_tokens_total"), "{{instance}} in"),
            Line(_per_second("vllm:generation_tokens_total"), "{{instance}} out"),
        ),
        graph(
            "Finished, by reason",
            "reqps",
            "length: answers cut off at max_tokens. abort: callers that left. error: read the log.",
            Line(_per_second("vllm:request_success_total", "finished_reason"), "{{finished_reason}}"),
            stacked=True,
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _machine(made: dashboard.Dashboard) -> None:
    row(made, "Machine")
    panels = [
        graph(
            "Memory of the server, by process",
            "bytes",
            "engine (GPU: worker) holds weights, KV cache, adapters; it should be flat. Else: runbook MemoryGrowth.",
            Line(f"sum by (process) (cni_server_process_resident_memory_bytes{{{_HERE}}})", "{{process}}"),
            stacked=True,
        ),
        graph(
            "CPU by process",
            "short",
            "Cores. api near 1: the API is the bottleneck; add a replica. engine at all cores: the model is.",
            Line(_per_second("cni_server_process_cpu_seconds_total", "process"), "{{process}}"),
            stacked=True,
        ),
        graph(
            "Memory of the GPUs",
            "bytes",
            "As the driver sees it. Nothing free: lower vLLM's share, or take the other program away. 0 without a GPU.",
            Line(or_zero(f"sum by (gpu, state) (cni_server_gpu_memory_bytes{{{_HERE}}})", "gpu"), "{{gpu}} {{state}}"),
            stacked=True,
        ),
        graph(
            "Open files of the API process",
            "short",
            "A steady climb is a leak of connections.",
            Line(f"process_open_fds{{{_HERE}}}", "{{instance}}"),
            limits=Limits(5_000, 15_000),
        ),
        number(
            "Up for",
            "s",
            "Since the last start. Short and repeated: it is being restarted; read the log before it.",
            f"min(time() - process_start_time_seconds{{{_HERE}}})",
        ),
        number(
            "OCR running",
            "short",
            "Pictures being read by all fronts, beside the engine on a shared machine.",
            "sum(ocr_front_ocr_running)",
        ),
        number(
            "OCR queue",
            "percentunit",
            "Of the places for waiting pictures (OCR_FRONT_OCR_QUEUE), those taken at the fullest front.",
            "max(ocr_front_ocr_queue_depth / ocr_front_ocr_queue_limit)",
            Limits(0.5, 0.75),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)
