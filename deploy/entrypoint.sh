#!/bin/sh
# A container is reached from beyond itself, so the service needs a key. At the first start one is
# made and written to /data/first-key, which only its owner can read; no key is ever logged.
set -eu
umask 077
if [ "${1:-serve}" = serve ]; then
    [ $# -gt 0 ] && shift
    if ! rag keys list --json | grep -q '"id"'; then
        rag keys create first --scope read --scope write --scope admin --json > /data/first-key
        echo 'a key was made: read it in /data/first-key and remove that file' >&2
    fi
    exec rag serve --host 0.0.0.0 --port 8000 "$@"
fi
exec rag "$@"
