"""What the commands here say of themselves: they take no options, only variables, which make hands on."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

# The services that a command starts read their own settings from the same environment.
SERVICES = {
    "SERVER_*": "settings of the model server: python -m server --help",
    "OCR_FRONT_*": "settings of the OCR front: python -m ocr_frontend serve --help",
}
INSTALLATION = {
    "PYTHON": "of make alone: the Python that environments are made from; 3.11 or 3.12",
    "UV_INDEX_URL": "package index, where it is not PyPI",
    "UV_FIND_LINKS": "a folder of wheels that holds PyTorch's CPU build; else PIP_FIND_LINKS, else PyTorch's own index",
}


class _Parser(argparse.ArgumentParser):
    """Its errors are one sentence, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        self.exit(2, f"{self.prog}: {message}.\n")


def take_none(module: str, make: str, what: str, variables: Mapping[str, str], given: Sequence[str]) -> None:
    """Answer `--help`, refuse every other argument; either ends the process before anything is started.

    `make`: the command as make knows it, or empty; `variables`: what is read, and what it means.
    """
    parser = _Parser(
        prog=f"python -m {module}",
        usage=f"python -m {module} [--help]" + (f", or: {make} [VARIABLE=value …]" if make else ""),
        description=what,
        epilog=_listed(variables),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _, unknown = parser.parse_known_args(given)
    if unknown:
        more = ", only the variables that --help lists" if variables else ""
        parser.error(f"{unknown[0]!r} is not known: it takes no arguments{more}")


def _listed(variables: Mapping[str, str]) -> str:
    if not variables:
        return "It takes no arguments."
    width = max(map(len, variables))
    lines = [f"  {name:<{width}}  {meaning}" for name, meaning in variables.items()]
    return "\n".join(["It takes no arguments. Variables, from the environment or make's command line:", *lines])
