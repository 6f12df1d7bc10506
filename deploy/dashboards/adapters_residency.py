"""The rows of the board *Adapters* about residency: what is in slots, in memory and on disk, and what moves."""

from grafana_foundation_sdk.builders import dashboard

from deploy.dashboards.parts import WINDOW, Limits, Line, graph, or_zero, row

_HERE = 'instance=~"$instance"'
_WHO = f'{_HERE}, adapter=~"$adapter", revision=~"$revision"'
_BY = "adapter, revision"
_NAMED = "{{adapter}}@{{revision}}"


def residency(made: dashboard.Dashboard) -> None:
    """Two rows: the tiers as a whole, then each revision by itself."""
    _tiers(made)
    _revisions(made)


def _tiers(made: dashboard.Dashboard) -> None:
    row(made, "Residency: slots, memory, disk")
    lookups = f"sum by (result) (rate(cni_server_adapter_lookups_total{{{_HERE}}}[{WINDOW}]))"
    slots = f"sum by (result) (rate(cni_server_slot_lookups_total{{{_HERE}}}[{WINDOW}]))"
    loads = [
        Line(f"sum(rate(cni_server_adapter_{name}_total{{{_HERE}}}[{WINDOW}]))", legend)
        for name, legend in (("loads", "loads"), ("evictions", "evictions"), ("load_failures", "failures"))
    ]
    held = f'sum by (tier) (cni_server_adapters{{{_HERE}, tier!="disk"}})'
    share = f"{held} / sum by (tier) (cni_server_tier_capacity{{{_HERE}}})"
    buckets = f"sum by (le) (rate(cni_server_adapter_load_seconds_bucket{{{_HERE}}}[{WINDOW}]))"
    seconds = f"histogram_quantile(0.95, {buckets}) >= 0 or vector(0)"  # without a load it is not a number
    volume = "cni_server_registry_volume_bytes"
    free = f'{volume}{{{_HERE}, state="free"}} / ignoring(state) {volume}{{{_HERE}, state="size"}}'
    panels = [
        graph(
            "Adapters by tier",
            "short",
            "slots: usable in one batch. memory: loaded. disk: registered.",
            Line(f"sum by (tier) (cni_server_adapters{{{_HERE}}})", "{{tier}}"),
        ),
        graph(
            "Bytes by tier",
            "bytes",
            "memory grows with loads up to its limit, which follows what is free; on a CPU slots borrow from it.",
            Line(f"sum by (tier) (cni_server_resident_bytes{{{_HERE}}})", "{{tier}}"),
        ),
        graph(
            "Fill of the tiers",
            "percentunit",
            "memory at 1 with evictions: raise SERVER_LORA_MEMORY_GIB, or pin the hot adapters.",
            Line(share, "{{tier}}"),
            limits=Limits(0.8, 0.95),
        ),
        graph(
            "Loads, evictions, failures",
            "ops",
            "Loads and evictions together: the working set does not fit. Failures: the log names the file.",
            *loads,
        ),
        graph(
            "Lookups",
            "ops",
            "miss: the request waited for a load. Many misses beside free memory: adapters are being replaced.",
            Line(lookups, "{{result}}"),
            stacked=True,
        ),
        graph(
            "Slots of a batch",
            "ops",
            "miss: an adapter took a slot for the step. Many: more adapters at once than SERVER_MAX_LORAS.",
            Line(slots, "{{result}}"),
            stacked=True,
        ),
        graph(
            "Load time, p95",
            "s",
            "Disk to engine; 0 where nothing was loaded. Above 1 s: the registry's disk is slow or cold.",
            Line(seconds, "p95"),
            limits=Limits(0.5, 1),
        ),
        graph(
            "Free on the registry's volume",
            "percentunit",
            "A full one takes no revision and no switch: remove revisions that no alias names.",
            Line(free, "{{instance}}"),
            limits=Limits(0.15, 0.03, below=True),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _rate(metric: str, by: str = _BY) -> str:
    return f"sum by ({by}) (rate({metric}{{{_WHO}}}[{WINDOW}]))"


def _mean(metric: str) -> str:
    return f"{_rate(f'{metric}_sum')} / clamp_min({_rate(f'{metric}_count')}, 1e-9)"


def _revisions(made: dashboard.Dashboard) -> None:
    row(made, "Residency by revision")
    resident = f"sum by ({_BY}, tier) (cni_server_revision_resident_bytes{{{_WHO}}})"
    panels = [
        graph(
            "Bytes by revision and tier",
            "bytes",
            "What a revision takes in memory and in a slot. One in a slot that nobody asks for: unpin it.",
            Line(resident, _NAMED + " {{tier}}"),
        ),
        graph(
            "Loads by revision",
            "ops",
            "The same revision again and again: it is evicted between its requests; pin it, or give it more room.",
            Line(_rate("cni_server_revision_loads_total"), _NAMED),
            stacked=True,
        ),
        graph(
            "Evictions by revision",
            "ops",
            "room: it made place for another. left: its alias moved on, or it was deleted.",
            Line(_rate("cni_server_revision_evictions_total", f"{_BY}, reason"), _NAMED + " {{reason}}"),
            stacked=True,
        ),
        graph(
            "Load time by revision (mean)",
            "s",
            "0 without a load. One revision above the others: a large file, or a cold disk under it.",
            Line(_mean("cni_server_revision_load_seconds"), _NAMED),
            limits=Limits(0.5, 1),
        ),
        graph(
            "Waiting for residency (mean)",
            "s",
            "What its requests waited for a load and a slot, before the engine. Near 0 once it is warm.",
            Line(_mean("cni_server_admission_seconds"), _NAMED),
            limits=Limits(0.1, 0.5),
        ),
        graph(
            "Failed loads, by check",
            "ops",
            "What kept a revision from being loaded; the log names it. error: the engine's own fault.",
            Line(or_zero(_rate("cni_server_revision_load_failures_total", "check"), "check"), "{{check}}"),
        ),
        graph(
            "Made and left by an alias (in the last hour)",
            "short",
            "Switches to a revision, and rollbacks away from it.",
            Line(
                f"sum by ({_BY}) (increase(cni_server_revision_switches_total{{{_WHO}}}[1h]))", _NAMED + " switched to"
            ),
            Line(f"sum by ({_BY}) (increase(cni_server_revision_rollbacks_total{{{_WHO}}}[1h]))", _NAMED + " left"),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)
