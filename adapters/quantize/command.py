"""`python -m adapters quantize`."""

import argparse
import sys
from pathlib import Path

from adapters import bases
from adapters.errors import QuantizeError
from adapters.quantize.methods import METHODS, method_named
from adapters.registry.atomic import write_file
from adapters.registry.option import folder_of
from adapters.registry.quantization import QUANTIZATION_FILE, Quantization
from adapters.settings import Settings

SAMPLES, SEED = 64, 7
JUDGED = 80  # cards that an adapter's scores are taken on


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "quantize",
        help="write a base in eight or four bits, as a folder that the server loads",
        description="Quantize the linear layers of a base model and write it in compressed-tensors format, with a "
        "manifest. Adapters of the original serve on it. Embedding and head stay in bfloat16.",
        epilog="; ".join(f"{method.name}: {method.title}" for method in METHODS.values()),
    )
    parser.add_argument("--base", default=bases.EMBEDDED, help="'embedded', a folder, or a hub's name (%(default)s)")
    parser.add_argument("--method", required=True, help=", ".join(METHODS))
    parser.add_argument("--out", type=Path, required=True, help="the folder to make")
    parser.add_argument("--group", type=int, help="weights that share a scale, int4 and gptq (default: 32)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="cards that gptq looks at (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of those cards (default: %(default)s)")
    parser.add_argument(
        "--adapter",
        type=Path,
        help="NAME@REVISION or a folder: gptq is calibrated with it, and its scores on the result go into the manifest",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    method = method_named(args.method)
    if args.samples < 1:
        raise QuantizeError(f"--samples {args.samples}: at least one card is needed.")
    group = _group(args.group, method.group, method.name)
    args.adapter = args.adapter and folder_of(args.adapter)
    if args.out.exists():
        raise QuantizeError(f"{args.out} is there already: name another folder with --out, or remove it.")
    base = bases.resolve(args.base, Settings())
    name = bases.name_of(args.base, base)
    import torch
    from rich.progress import Progress

    from adapters.quantize.run import Plan, quantize

    if args.threads:
        torch.set_num_threads(args.threads)
    if args.adapter:
        from adapters.quantize.scores import contract_of

        contract_of(args.adapter, base)  # before the work, not after it
    if method.calibrated and not args.adapter:
        said = "calibrating with the base alone: an adapter may lose much on it; --adapter names the one it is to serve"
        print(said, file=sys.stderr)
    with Progress(transient=True) as bar:
        task = bar.add_task(f"{method.name} of {name}", total=None)
        manifest = quantize(
            Plan(base, name, method, group, args.samples, args.seed, args.adapter),
            args.out,
            lambda what, done, of: bar.update(task, description=what, completed=done, total=of),
        )
    if args.adapter:
        _score(args.out, base, manifest, args.adapter)
    print(
        f"{manifest.modules} modules, mean error {manifest.error:.2%}, "
        f"{sum(manifest.files.values()) / 2**20:.0f} MiB, {manifest.seconds:.0f} s",
        file=sys.stderr,
    )
    print(args.out)
    return 0


def _score(out: Path, base: Path, manifest: Quantization, adapter: Path) -> None:
    """Complete the manifest; the folder is whole and serves with or without it."""
    from adapters.quantize.scores import score

    scores = score(out, base, manifest, adapter, JUDGED, SEED)
    if scores is None:
        print(f"{adapter}: no scores, as no cards can be drawn of its documents; the base is whole", file=sys.stderr)
        return
    try:
        write_file(out / QUANTIZATION_FILE, manifest.model_copy(update={"scores": scores}).to_json().encode())
    except OSError as error:
        raise QuantizeError(f"{out} is whole, but its scores could not be written ({error.strerror}).") from error
    shares = [f"{100 * scores[name]['fields']:.1f} %" for name in ("original", "quantized")]
    print(f"{scores['adapter']}: fields right {shares[0]} on the original, {shares[1]} here", file=sys.stderr)


def _group(asked: int | None, usual: int | None, method: str) -> int | None:
    if asked is None:
        return usual
    if usual is None or method == "nf4":
        raise QuantizeError(f"--group is for int4 and gptq: {method} has none to choose.")
    if asked < 2 or asked % 2:
        raise QuantizeError(f"--group {asked}: an even number of weights, such as 32, 64 or 128, shares a scale.")
    return asked
