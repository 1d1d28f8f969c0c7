#!/usr/bin/env bash
# A secret comes as a file in memory. Nothing that Dayfly keeps has it.
set -euo pipefail
image=${1:?usage: $0 IMAGE}

secret=$(mktemp)
trap 'rm -f "$secret"' EXIT
printf 'correct horse battery staple' >"$secret"

dayfly run --name "secret-$$" --secret "password=file:$secret" "$image" -- sh -c 'wc -c </run/secrets/password'
if dayfly events --json | grep -q 'correct horse'; then
  echo 'the record has the secret' >&2
  exit 1
fi
echo 'the record does not have it'
