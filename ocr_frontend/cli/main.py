"""`python -m ocr_frontend [serve]`: the OCR front; `… lines`: OCR alone; `… extract`: photos in, fields out.

Every setting of the service is an environment variable OCR_FRONT_…; `serve --help` lists them.
"""

import argparse
import logging
import sys
from pathlib import Path

from ocr_frontend.cli.extract import command as extract
from ocr_frontend.observability import logs, telemetry
from ocr_frontend.settings import PREFIX, Settings, SettingsError, load_settings

log = logging.getLogger("ocr_frontend")


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, and give the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["serve", *arguments]
    given = _parser().parse_args(arguments)
    try:
        return {"serve": _serve, "lines": _lines, "extract": _extract, "choices": _choices}[given.command](given)
    except (SettingsError, telemetry.TelemetryError) as error:
        print(f"ocr_frontend: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m ocr_frontend", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve", help="the service (default)", formatter_class=raw, description="The service.", epilog=_variables()
    )
    serve.add_argument("--host", help=f"address to listen on ({PREFIX}HOST)")
    serve.add_argument("--port", type=int, help=f"port to listen on ({PREFIX}PORT)")
    serve.add_argument("--server-url", help=f"the model server ({PREFIX}SERVER_URL)")
    lines = commands.add_parser("lines", help="OCR only: images in, JSON Lines out")
    lines.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE")
    lines.add_argument("--out", type=Path, help="file to write; standard output without it")
    lines.add_argument("--threads", type=int, help=f"threads of the OCR ({PREFIX}OCR_THREADS; default: all cores)")
    lines.add_argument("--det-side", type=int, help=f"longest side that detection works at ({PREFIX}OCR_DET_SIDE)")
    extract.add_parser(commands)
    choices = commands.add_parser("choices", help="cards read, with all that a field might be: for adapters rerank")
    choices.add_argument("folder", type=Path, help="cards of python -m adapters cards")
    choices.add_argument("--out", type=Path, required=True, help="file to write, .jsonl.gz")
    choices.add_argument("--model", default="cni", help="alias or exact revision (default: %(default)s)")
    choices.add_argument("--server-url", help=f"the model server ({PREFIX}SERVER_URL)")
    return parser


def _variables() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory else f" (default: {field.default})" if field.default else ""
        rows.append(f"  {PREFIX + name.upper():<26}{field.description or ''}{default}")
    return "settings:\n" + "\n".join(rows).replace("%", "%%")


def _serve(given: argparse.Namespace) -> int:
    settings = load_settings(host=given.host, port=given.port, server_url=given.server_url)
    import uvicorn

    from ocr_frontend.api.app import create_app

    logs.configure(settings.log_format)
    # Our own log line a request takes the place of uvicorn's, which prints the query string.
    end_traces = telemetry.start(settings.otlp_endpoint) if settings.otlp_endpoint else None
    app = create_app(settings)
    if app.state.service.ring.open:
        log.warning("no keys are configured: only this machine is listened to, and everybody on it may read cards")
    uvicorn.run(
        app, host=settings.host, port=settings.port, access_log=False, log_config=None,
        timeout_graceful_shutdown=10,
    )  # fmt: skip
    if end_traces:
        end_traces()
    return 0


def _extract(given: argparse.Namespace) -> int:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return extract.run(given, load_settings(server_url=given.server_url))


def _choices(given: argparse.Namespace) -> int:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from ocr_frontend.cli.choices import run

    return run(given.folder, given.out, given.model, load_settings(server_url=given.server_url, rerank=False))


def _lines(given: argparse.Namespace) -> int:
    settings = load_settings(ocr_threads=given.threads, ocr_det_side=given.det_side, ocr_workers=1)
    from ocr_frontend.cli.lines import run

    options = settings.ocr_options()
    if given.out is None:
        return run(given.paths, sys.stdout, options, settings.max_pixels)
    with given.out.open("w", encoding="utf-8") as out:
        return run(given.paths, out, options, settings.max_pixels)
