#!/usr/bin/env bash
# Twenty jobs at once. Every fifth fails, and it shows.
set -euo pipefail
image=${1:?usage: $0 IMAGE}

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for job in $(seq 20); do
  {
    dayfly run --label batch=example --cpus 0.5 --memory 64m "$image" -- sh -c "exit \$(($job % 5 == 0))" && code=0 || code=$?
    echo "$code" >"$results/$job"
  } &
done
wait

failed=$(grep -lx 1 "$results"/* | wc -l)
succeeded=$(grep -lx 0 "$results"/* | wc -l)
echo "$succeeded succeeded, $failed failed"
[ "$succeeded" = 16 ] && [ "$failed" = 4 ]
