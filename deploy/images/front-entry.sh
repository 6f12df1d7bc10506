#!/bin/sh
# Secrets are files; the front reads its environment. Takes each file that is there, then becomes the command.
set -eu
secrets=${SECRETS_DIR:-/run/secrets}
if [ -r "$secrets/front_keys" ]; then
    OCR_FRONT_KEYS=$(cat "$secrets/front_keys")
    export OCR_FRONT_KEYS
fi
if [ -r "$secrets/server_key" ]; then
    OCR_FRONT_SERVER_KEY=$(cat "$secrets/server_key")
    export OCR_FRONT_SERVER_KEY
fi
# Only where the dashboard may show the model server's numbers to whoever sees the front's.
if [ -r "$secrets/metrics_key" ]; then
    OCR_FRONT_SERVER_METRICS_KEY=$(cat "$secrets/metrics_key")
    export OCR_FRONT_SERVER_METRICS_KEY
fi
exec "$@"
