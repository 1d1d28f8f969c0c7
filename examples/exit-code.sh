#!/usr/bin/env bash
# Output and exit code are the command's own.
set -euo pipefail
image=${1:?usage: $0 IMAGE}

dayfly run "$image" -- sh -c 'echo to stdout; echo to stderr >&2; exit 42' && code=0 || code=$?
echo "exit code $code"
[ "$code" = 42 ]
