#!/bin/sh
# What ships is put into the registry, each revision once (docs/decisions/0040); then the command. A registry that takes
# nothing, a full volume say, still serves what it holds: the sentence is in the log, and the server starts.
set -u
python -m adapters registry seed >&2 || echo "the server goes on with what lies in ${SERVER_ADAPTERS_DIR-}" >&2
exec "$@"
