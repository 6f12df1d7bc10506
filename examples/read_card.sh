#!/bin/sh
# Read a card with curl and show its fields: examples/read_card.sh PICTURE [FRONT]. KEY=… where the service has keys.
set -eu
curl --fail-with-body --silent --show-error --retry 5 ${KEY:+-H "Authorization: Bearer $KEY"} \
  -F "image=@$1" "${2:-http://127.0.0.1:8080}/v1/extract?include=data" | python3 -m json.tool --no-ensure-ascii
