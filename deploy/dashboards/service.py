"""Board *Service*: what a client notices. Traffic, errors, latency by stage, saturation of the OCR front."""

from grafana_foundation_sdk.builders import dashboard

from deploy.dashboards.parts import WINDOW, Limits, Line, graph, new_board, number, or_zero, quantiles, row

_HERE = 'instance=~"$instance"'
_CARDS = f'{_HERE}, route=~"/v1/extract|/v1/extract-lines|/v1/cards|/upload"'
_TOTAL = f"sum(rate(ocr_front_requests_total{{{_CARDS}}}[{WINDOW}]))"
_FAILED = f'(sum(rate(ocr_front_requests_total{{{_CARDS}, status="5xx"}}[{WINDOW}])) or vector(0))'
_SHARE = f"{_FAILED} / clamp_min({_TOTAL}, 1e-9)"
_STAGE = "ocr_front_stage_duration_seconds"


def board() -> dashboard.Dashboard:
    """The board to open first when somebody complains."""
    made = new_board(
        "cni-service",
        "CNI · Service",
        "What a client notices. Start here, then go to Adapters (is it one revision?) or Engine and machine (is it "
        "the load?).",
        "ocr_front_ready",
    )
    _now(made)
    _traffic(made)
    _latency(made)
    _saturation(made)
    return made


def _now(made: dashboard.Dashboard) -> None:
    row(made, "Now")
    panels = [
        number(
            "Cards a minute",
            "short",
            "Cards answered, the last minutes. 0 under traffic: look at Ready and at the errors.",
            f'60 * sum(rate({_STAGE}_count{{{_HERE}, stage="total"}}[{WINDOW}]))',
        ),
        number(
            "Failed requests",
            "percentunit",
            "Share of 5xx. The objective is below 0.5 %. Red: runbook CardErrorBudgetBurn.",
            _SHARE,
            Limits(0.005, 0.05),
        ),
        number(
            "p95 of a card",
            "s",
            "Arrival to answer. The objective is 5 s for 95 % of cards. Red: which stage grew, below.",
            f'histogram_quantile(0.95, sum by (le) (rate({_STAGE}_bucket{{{_HERE}, stage="total"}}[{WINDOW}])))',
            Limits(3, 5),
        ),
        number(
            "In progress",
            "short",
            "Requests inside. Near OCR_FRONT_MAX_REQUESTS (64) clients get 503: add a front.",
            f"sum(ocr_front_requests_in_progress{{{_HERE}}})",
            Limits(32, 60),
        ),
        number(
            "Fronts ready",
            "short",
            "Fronts whose OCR is loaded. Fewer than deployed: read the log of the missing one.",
            f"sum(ocr_front_ready{{{_HERE}}})",
            Limits(1, 0.5, below=True),
        ),
        number(
            "Bad answers",
            "percentunit",
            "Share of model answers without the form asked for. Red: roll the adapter back.",
            f"sum(rate(ocr_front_invalid_answers_total{{{_HERE}}}[{WINDOW}])) / "
            f'clamp_min(sum(rate({_STAGE}_count{{{_HERE}, stage="llm"}}[{WINDOW}])), 1e-9)',
            Limits(0.01, 0.05),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _traffic(made: dashboard.Dashboard) -> None:
    row(made, "Traffic and errors")
    requests = f"sum by (route) (rate(ocr_front_requests_total{{{_HERE}}}[{WINDOW}]))"
    status = f"sum by (status) (rate(ocr_front_requests_total{{{_CARDS}}}[{WINDOW}]))"
    codes = f"sum by (code) (rate(ocr_front_errors_total{{{_HERE}}}[{WINDOW}]))"
    panels = [
        graph(
            "Requests by route",
            "reqps",
            "Who asks for what. A sudden fall is as telling as a rise.",
            Line(requests, "{{route}}"),
            stacked=True,
        ),
        graph(
            "Cards by status",
            "reqps",
            "4xx: the pictures or the names sent are wrong. 5xx: it is us; the next panel names the cause.",
            Line(status, "{{status}}"),
            stacked=True,
        ),
        graph(
            "Errors by code",
            "reqps",
            "busy: OCR is saturated, add a front. model_server_away: look at the server. deadline_exceeded: see "
            "latency by "
            "stage. invalid_answer: roll the adapter back. no_text_found, unreadable_image: the senders' cameras.",
            Line(or_zero(codes, "code"), "{{code}}"),
            stacked=True,
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _latency(made: dashboard.Dashboard) -> None:
    row(made, "Latency")
    mean = (
        f"sum by (stage) (rate({_STAGE}_sum{{{_HERE}}}[{WINDOW}])) / "
        f"clamp_min(sum by (stage) (rate({_STAGE}_count{{{_HERE}}}[{WINDOW}])), 1e-9)"
    )
    p95 = f"histogram_quantile(0.95, sum by (le, stage) (rate({_STAGE}_bucket{{{_HERE}}}[{WINDOW}])))"
    panels = [
        graph(
            "A card, arrival to answer",
            "s",
            "p95 over 5 s burns the latency budget. Which stage it is: the next two panels.",
            *quantiles(_STAGE, f'{_HERE}, stage="total"'),
            limits=Limits(3, 5),
        ),
        graph(
            "p95 by stage",
            "s",
            "queue grows: more OCR workers or fronts. ocr: larger pictures, or cores that others use. llm: Engine "
            "and machine.",
            Line(p95, "{{stage}}"),
        ),
        graph(
            "Where the time goes (mean)",
            "s",
            "The stages of an average card. `total` is their sum and the transport.",
            Line(mean, "{{stage}}"),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)


def _saturation(made: dashboard.Dashboard) -> None:
    row(made, "Saturation and quality")
    warnings = f"sum by (document) (rate(ocr_front_field_warnings_total{{{_HERE}}}[{WINDOW}]))"
    panels = [
        graph(
            "OCR: waiting and running",
            "short",
            "Waiting near the limit (OCR_FRONT_OCR_QUEUE): clients are refused next. Add a front, or workers where "
            "cores are idle.",
            Line(f"sum by (instance) (ocr_front_ocr_queue_depth{{{_HERE}}})", "{{instance}} waiting"),
            Line(f"sum by (instance) (ocr_front_ocr_running{{{_HERE}}})", "{{instance}} running"),
            Line(f"sum by (instance) (ocr_front_ocr_queue_limit{{{_HERE}}})", "{{instance}} limit of waiting"),
        ),
        graph(
            "Memory of the fronts",
            "bytes",
            "All processes of a front, about 1 GB once the OCR is loaded. A steady climb over hours: runbook "
            "MemoryGrowth.",
            Line(f"ocr_front_resident_memory_bytes{{{_HERE}}}", "{{instance}}"),
        ),
        graph(
            "Fields with a warning",
            "short",
            "Per second, by document. A step after a switch points at the adapter, a slow rise at the pictures.",
            Line(or_zero(warnings, "document"), "{{document}}"),
        ),
    ]
    for panel in panels:
        made.with_panel(panel)
