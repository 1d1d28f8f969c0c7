#!/usr/bin/env bash
# A sandbox that stays until it is ended, or until its lease ends it.
set -euo pipefail
image=${1:?usage: $0 IMAGE}
name=sandbox-$$

dayfly run --detach --name "$name" --ttl 5m --grace 1s "$image" -- sleep 300
trap 'dayfly down --force "$name" >/dev/null 2>&1 || true' EXIT

dayfly exec "$name" -- sh -c 'echo 6 7 >/tmp/numbers'
dayfly exec "$name" -- awk '{ print $1 * $2 }' /tmp/numbers
dayfly down "$name"
