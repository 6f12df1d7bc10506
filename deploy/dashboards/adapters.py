"""Board *Adapters*: each adapter and revision by itself, and how adapters come, go and change."""

from grafana_foundation_sdk.builders import dashboard

from deploy.dashboards.adapters_residency import residency
from deploy.dashboards.parts import WINDOW, Limits, Line, graph, new_board, or_zero, row, variable

_HERE = 'instance=~"$instance"'
_WHO = f'{_HERE}, adapter=~"$adapter", revision=~"$revision"'
_BY = "adapter, revision"
_NAMED = "{{adapter}}@{{revision}}"


def board() -> dashboard.Dashboard:
    """The board to open after a switch, a split or a registration."""
    made = new_board(
        "cni-adapters",
        "CNI · Adapters",
        "One line an adapter's revision; the base model is `base`. Compare revisions here before a split becomes a "
        "switch.",
        "cni_server_adapters",
    )
    made.with_variable(
        variable("adapter", "Adapter", 'label_values(cni_server_requests_total{instance=~"$instance"}, adapter)')
    )
    made.with_variable(
        variable("revision", "Revision", 'label_values(cni_server_requests_total{adapter=~"$adapter"}, revision)')
    )
    _traffic(made)
    _latency(made)
    _changes(made)
    residency(made)
    return made


def _rate(metric: str, by: str = _BY, selector: str = _WHO) -> str:
    return f"sum by ({by}) (rate({metric}{{{selector}}}[{WINDOW}]))"


def _p95(metric: str) -> str:
    return f"histogram_quantile(0.95, {_rate(f'{metric}_bucket', f'le, {_BY}')})"


def _traffic(made: dashboard.Dashboard) -> None:
    row(made, "Traffic, errors, tokens")
    requests = _rate("cni_server_requests_total")
    faults = _rate("cni_server_errors_total", selector=f'{_WHO}, kind=~"server|stream"')
    failing = f"({faults} or 0 * {requests}) / clamp_min({requests}, 1e-9)"
    panels = [
        graph(
            "Requests",
            "reqps",
            "By the revision that answered. A revision that should be gone still here: a client names it exactly.",
            Line(requests, _NAMED),
            stacked=True,
        ),
        graph(
            "Share of an alias' traffic",
            "percentunit",
            "What the registry says now, switches and splits included. Compare with Requests.",
            Line(f"max by ({_BY}) (cni_server_traffic_share{{{_WHO}}})", _NAMED),
        ),
        graph(
            "Failing answers",
            "percentunit",
            "Server faults and broken streams by revision. One revision alone: roll it back. All: look at the engine.",
            Line(failing, _NAMED),
            limits=Limits(0.01, 0.05),
        ),
        graph(
            "Errors by kind",
            "reqps",
            "server: our fault. stream: broke after its 200. client: refused as wrong. disconnected: the caller left.",
            Line(or_zero(_rate("cni_server_errors_total", "kind", _HERE), "kind"), "{{kind}}"),
            stacked=True,
        ),
        graph(
            "Tokens",
            "short",
            "Per second. Out growing without more requests: answers got longer; compare the revisions.",
            Line(_rate("cni_server_tokens_total", f"{_BY}, direction"), _NAMED + " {{direction}}"),
        ),
        graph(
            "Answers that the front judged",
            "reqps",
            "By revision; our front reports invalid ones alone: compare with Requests. They end a split by themselves.",
            Line(
                or_zero(_rate("cni_server_reported_answers_total", f"{_BY}, outcome"), "outcome"),
                _NAMED + " {{outcome}}",
            ),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _latency(made: dashboard.Dashboard) -> None:
    row(made, "Latency by revision")
    panels = [
        graph(
            "Time to first token, p95",
            "s",
            "Grows with the queue and the prompt. One revision alone: it was cold, see misses below.",
            Line(_p95("cni_server_time_to_first_token_seconds"), _NAMED),
            limits=Limits(1, 2.5),
        ),
        graph(
            "Time per token, p95",
            "s",
            "The engine's pace. All revisions together: the batch is large or the cores are shared.",
            Line(_p95("cni_server_time_per_output_token_seconds"), _NAMED),
            limits=Limits(0.05, 0.1),
        ),
        graph(
            "Request, p95",
            "s",
            "Arrival to last byte at the server.",
            Line(_p95("cni_server_request_duration_seconds"), _NAMED),
            limits=Limits(3, 5),
        ),
        graph(
            "Waiting in the engine, p95",
            "s",
            "Time before the first step. Steadily above 1 s: add a replica, or raise SERVER_MAX_NUM_SEQS.",
            Line(_p95("cni_server_queue_seconds"), _NAMED),
            limits=Limits(0.5, 1),
        ),
        graph(
            "In flight",
            "short",
            "Requests being answered. A line that never returns to zero at night: a stuck stream.",
            Line(f"sum by ({_BY}) (cni_server_requests_in_flight{{{_WHO}}})", _NAMED),
            stacked=True,
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _changes(made: dashboard.Dashboard) -> None:
    row(made, "Switches, rollbacks, refusals (in the last hour)")
    panels = [
        graph(
            "Switches",
            "short",
            "Changes of what an alias means. More than a few an hour: something flaps, runbook AdapterFlapping.",
            Line(
                or_zero(f"sum by (adapter) (increase(cni_server_switches_total{{{_HERE}}}[1h]))", "adapter"),
                "{{adapter}}",
            ),
        ),
        graph(
            "Rollbacks",
            "short",
            "automatic: a split's new revision failed too often. Keep the old one and evaluate the new one again.",
            Line(
                or_zero(f"sum by (adapter, reason) (increase(cni_server_rollbacks_total{{{_HERE}}}[1h]))", "adapter"),
                "{{adapter}} {{reason}}",
            ),
            limits=Limits(1, 3),
        ),
        graph(
            "Refused revisions",
            "short",
            "By the check that failed: base (trained on another base), tensors, values, digest, golden.",
            Line(
                or_zero(f"sum by (check) (increase(cni_server_refused_revisions_total{{{_HERE}}}[1h]))", "check"),
                "{{check}}",
            ),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)
