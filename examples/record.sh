#!/usr/bin/env bash
# What happened to an environment that is gone.
set -euo pipefail
image=${1:?usage: $0 IMAGE}

dayfly run --name "record-$$" "$image" -- sh -c 'echo I was here; exit 3' || true
id=$(dayfly ps --all --json | grep -o '"id":"e[0-9a-z]*"' | head -n 1 | cut -d'"' -f4)
dayfly events --environment "$id"
dayfly logs "$id"
