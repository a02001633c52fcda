#!/bin/sh
# Cancels the Slurm jobs that a killed run in this folder left behind, and waits until they have ended. Jobs of a run
# that is alive are cancelled, too. No file can suffer: what a job writes gets its name when it is whole.
set -eu
folder=$(pwd -P)

orphans() {
    squeue --me --noheader --format '%i|%j|%Z' > "$list" # not piped: its failure must not look like an empty queue
    awk -F '|' -v folder="$folder" '$2 ~ /^restoration_/ && $3 == folder { print $1 }' "$list"
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
found=$(orphans)
if [ -z "$found" ]; then
    echo "No jobs of $folder are in the queue."
    exit
fi
echo "$found" | xargs scancel
left=$found
seconds=0
while [ -n "$left" ]; do
    [ $seconds -lt 120 ] || { echo "Still there after 2 minutes: $(echo "$left" | tr '\n' ' ')" >&2; exit 1; }
    sleep 1
    seconds=$((seconds + 1))
    left=$(orphans)
done
echo "Cancelled: $(echo "$found" | tr '\n' ' ')"
