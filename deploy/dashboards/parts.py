"""What every board is made of: a header with variables, and panels whose description says what to do."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_ALL = models.VariableOption(text="All", value="$__all", selected=True)
_HEIGHT = 8
_THIRD = 8  # of Grafana's 24 columns
_STAT_WIDTH, _STAT_HEIGHT = 4, 4
WINDOW = "$__rate_interval"


@dataclass(frozen=True)
class Line:
    """One query and the name of its series."""

    query: str
    legend: str


@dataclass(frozen=True)
class Limits:
    """From where a value is yellow and from where red; `below` turns them round."""

    warn: float
    bad: float
    below: bool = False


def new_board(uid: str, title: str, description: str, instances: str) -> dashboard.Dashboard:
    """An empty board. `instances`: the metric whose `instance` label the variable offers."""
    board = dashboard.Dashboard(title).uid(uid).description(description).tags(["cni-lora-server"])
    board.readonly().refresh("30s").time("now-1h", "now").timezone("browser")
    board.tooltip(models.DashboardCursorSync.CROSSHAIR)
    board.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    links = dashboard.DashboardLink("Other boards").type(models.DashboardLinkType.DASHBOARDS)
    board.link(links.tags(["cni-lora-server"]).as_dropdown(True).include_vars(True).keep_time(True))
    return board.with_variable(variable("instance", "Instance", f"label_values({instances}, instance)"))


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A variable of several values; `All` also matches an empty label, which the base model's revision has."""
    made = dashboard.QueryVariable(name).label(label).query(query).datasource(_SOURCE)
    made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
    return made.multi(True).include_all(True).all_value(".*").current(_ALL)


def row(board: dashboard.Dashboard, title: str) -> None:
    """A heading; the panels that follow stand under it."""
    board.with_row(dashboard.Row(title))


def graph(
    title: str, unit: str, description: str, *lines: Line, limits: Limits | None = None, stacked: bool = False
) -> timeseries.Panel:
    """Lines over time, a third of the board wide, from zero."""
    panel = timeseries.Panel().title(title).description(description).unit(unit).datasource(_SOURCE)
    panel.height(_HEIGHT).span(_THIRD).min(0).fill_opacity(20 if stacked else 0).line_width(1)
    panel.show_points(common.VisibilityMode.NEVER)
    panel.legend(common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST).show_legend(True))
    panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if limits:
        panel.thresholds(_steps(limits))
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED)
        panel.thresholds_style(style)
    for target in _targets(lines):
        panel.with_target(target)
    return panel


def number(title: str, unit: str, description: str, query: str, limits: Limits | None = None) -> stat.Panel:
    """One number now, coloured by its limits."""
    panel = stat.Panel().title(title).description(description).unit(unit).datasource(_SOURCE)
    panel.height(_STAT_HEIGHT).span(_STAT_WIDTH).color_mode(common.BigValueColorMode.VALUE)
    panel.graph_mode(common.BigValueGraphMode.AREA)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    if limits:
        panel.thresholds(_steps(limits))
    return panel.with_target(_targets((Line(query, title),))[0])


def quantiles(metric: str, selector: str, *by: str) -> list[Line]:
    """The 50th, 95th and 99th percentile of a histogram, split by labels."""
    group, legend = ", ".join(("le", *by)), " ".join(f"{{{{{label}}}}}" for label in by)
    rate = f"sum by ({group}) (rate({metric}_bucket{{{selector}}}[{WINDOW}]))"
    return [Line(f"histogram_quantile(0.{p}, {rate})", f"{legend} p{p}".strip()) for p in (50, 95, 99)]


def or_zero(query: str, label: str) -> str:
    """A query by `label`, with a zero line named `none` where nothing of the kind has happened yet."""
    return f'{query} or (label_replace(vector(0), "{label}", "none", "", "") unless on () {query})'


def _targets(lines: tuple[Line, ...]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(line.query).legend_format(line.legend).ref_id(chr(ord("A") + place)).range()
        for place, line in enumerate(lines)
    ]


def _steps(limits: Limits) -> dashboard.ThresholdsConfig:
    colours = ("red", "yellow", "green") if limits.below else ("green", "yellow", "red")
    values = (None, limits.bad, limits.warn) if limits.below else (None, limits.warn, limits.bad)
    steps = [models.Threshold(value=value, color=colour) for value, colour in zip(values, colours, strict=True)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
