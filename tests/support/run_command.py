"""A command of `python -m adapters` in this process: its exit code and what it printed. Its errors are raised."""

import argparse
import contextlib
import io

from adapters import bases, commands


def adapters_command(*arguments: object) -> tuple[int, str]:
    """As `python -m adapters ARGUMENTS`."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    for command in (bases, *commands.ALL):
        command.add_parser(subparsers)
    args = parser.parse_args([str(each) for each in arguments])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = int(args.run(args))
    return code, said.getvalue()
