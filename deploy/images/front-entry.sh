#!/bin/sh
# Secrets are files; the front reads its environment. Takes each file that is there, then becomes the command.
set -eu
secrets=${SECRETS_DIR:-/run/secrets}
if [ -r "$secrets/front_keys" ]; then
    case $(head -c 1 "$secrets/front_keys") in
    "{") # hashed keys with scopes and limits; the front follows the file, so a key can be revoked without a restart
        OCR_FRONT_KEYS_FILE="$secrets/front_keys"
        export OCR_FRONT_KEYS_FILE
        ;;
    *) # keys in plain, as older secrets hold them
        OCR_FRONT_KEYS=$(cat "$secrets/front_keys")
        export OCR_FRONT_KEYS
        ;;
    esac
fi
if [ -r "$secrets/server_key" ]; then
    OCR_FRONT_SERVER_KEY=$(cat "$secrets/server_key")
    export OCR_FRONT_SERVER_KEY
fi
# Only where the dashboard may show the model server's numbers to keys of the scope `metrics`.
if [ -r "$secrets/metrics_key" ]; then
    OCR_FRONT_SERVER_METRICS_KEY=$(cat "$secrets/metrics_key")
    export OCR_FRONT_SERVER_METRICS_KEY
fi
# Jobs: the key that encrypts what waits, and the store that several fronts share.
if [ -r "$secrets/jobs_key" ]; then
    OCR_FRONT_JOBS_KEY=$(cat "$secrets/jobs_key")
    export OCR_FRONT_JOBS_KEY
fi
if [ -r "$secrets/jobs_database" ]; then
    OCR_FRONT_JOBS_DATABASE=$(cat "$secrets/jobs_database")
    export OCR_FRONT_JOBS_DATABASE
fi
exec "$@"
