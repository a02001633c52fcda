#!/usr/bin/env bash
# A real but throw-away Slurm cluster on this machine, for the tests: one munged, one slurmctld and a slurmd for each
# of the nodes cpu1, cpu2, gpu1, gpu2. All belongs to the caller, root or not, and lies in one folder; nothing under
# /etc is touched, daemons listen on the loopback device only. GPUs are pretended (links to /dev/null), but really
# scheduled: jobs get CUDA_VISIBLE_DEVICES.
#
# Needs (Debian, Ubuntu): apt-get install --no-install-recommends slurm-wlm munge
#
#   slurm.sh start              start what is not running
#   slurm.sh stop               cancel all jobs, stop all daemons
#   slurm.sh env                exports for clients: eval "$(slurm.sh env)"
#   slurm.sh crash-node NODE    kill a slurmd and its jobs; `start` brings it back
#   slurm.sh crash-controller   kill slurmctld; `start` brings it back
#
# SLURM_BASE names the folder (at most 60 characters: it becomes part of socket names), SLURM_PORT the first of 5 ports.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
base=${SLURM_BASE:?}
port=${SLURM_PORT:-26810}
nodes=(cpu1 cpu2 gpu1 gpu2)
gpus=3 cpus=8 memory=64000 patience=60
export SLURM_CONF=$base/slurm.conf

die() { echo "slurm.sh: $*" >&2; exit 1; }

# --- processes, by recorded PID -------------------------------------------------

# Only a daemon that names this cluster's folder is ours: PIDs are used again.
ours() { # PID
    case $(cat "/proc/$1/comm" 2>/dev/null) in
        munged | slurmctld | slurmd) ;;
        *) return 1 ;;
    esac
    cat "/proc/$1/cmdline" "/proc/$1/environ" 2>/dev/null | tr '\0' '\n' | grep -qF -- "$base/"
}
pid_of() { # DAEMON
    local pid
    pid=$(cat "$base/run/$1.pid" 2>/dev/null) && [[ $pid ]] && ours "$pid" && echo "$pid"
}
stop_daemon() { # DAEMON
    local pid tries
    if pid=$(pid_of "$1"); then
        kill -TERM "$pid" || true
        for ((tries = 0; tries < 150; tries++)); do
            ours "$pid" || break
            sleep 0.1
        done
        ! ours "$pid" || kill -KILL "$pid"
    fi
    rm -f "$base/run/$1.pid"
}
# Job steps outlive their slurmd by design, and rename themselves: the log that they hold open tells their node.
steps() { # NODE
    local process open
    for process in /proc/[0-9]*; do
        [[ $(cat "$process/comm" 2>/dev/null) == slurmstepd ]] || continue
        open=$(readlink "$process"/fd/* 2>/dev/null) || true
        if grep -qF -- "$base/log/slurmd-$1.log" <<< "$open"; then echo "${process#/proc/}"; fi
    done
}
kill_tree() { # PID...: parents first
    local pid children
    for pid in "$@"; do
        read -r -a children < <(cat /proc/"$pid"/task/*/children 2>/dev/null | tr '\n' ' ') || true
        kill -KILL "$pid" 2>/dev/null || true
        kill_tree "${children[@]}"
    done
}
crash_node() { # NODE
    local pid
    if pid=$(pid_of "slurmd-$1"); then kill -KILL "$pid"; fi
    for pid in $(steps "$1"); do kill_tree "$pid"; done
    rm -f "$base/run/slurmd-$1.pid"
}

# --- configuration ----------------------------------------------------------------

configure() {
    local text lines='' node gpu client real index=0
    mkdir -p "$base"/{run,log,state,bin,dev}
    : > "$base/gres.conf"
    for node in "${nodes[@]}"; do
        mkdir -p "$base/spool/$node"
        lines+="NodeName=$node NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 1 + index++))"
        lines+=" CPUs=$cpus Sockets=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory"
        if [[ $node == gpu* ]]; then
            lines+=" Gres=gpu:$gpus"
            for ((gpu = 0; gpu < gpus; gpu++)); do
                # A link to /dev/null passes for a device; the number in its name becomes that of the CUDA device.
                ln -sfn /dev/null "$base/dev/$node-nvidia$gpu"
                echo "NodeName=$node Name=gpu File=$base/dev/$node-nvidia$gpu" >> "$base/gres.conf"
            done
        fi
        lines+=$'\n'
    done
    lines+=$'PartitionName=cpu Nodes=cpu[1-2] Default=YES MaxTime=INFINITE\n'
    lines+='PartitionName=gpu Nodes=gpu[1-2] MaxTime=INFINITE'
    text=$(< "$here/slurm.conf.in")
    text=${text//@HOST@/$(hostname)}
    text=${text//@PORT@/$port}
    text=${text//@USER@/$(id -un)}
    text=${text//@BASE@/$base}
    text=${text//@NODES@/$lines}
    printf '%s\n' "$text" > "$SLURM_CONF"
    echo 'CgroupPlugin=cgroup/v1' > "$base/cgroup.conf"

    # Inside jobs the executor plugin takes every SLURM_* variable away from srun, SLURM_CONF, too, which would then
    # look under /etc: these wrappers, first on the PATH, give it back.
    for client in sbatch srun scancel squeue sinfo scontrol; do
        real=$(type -aP "$client" | grep -vF "$base" | head -n 1)
        printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$real" > "$base/bin/$client"
        chmod 755 "$base/bin/$client"
    done
}

# --- daemons ------------------------------------------------------------------------

# Detached from the caller's terminal and pipes: who waits for the caller must not wait for a daemon.
launch() { # DAEMON COMMAND...
    if pid_of "$1" > /dev/null; then return; fi
    env -i PATH="$PATH" HOME="${HOME:-/}" LANG=C SLURM_CONF="$SLURM_CONF" \
        setsid "${@:2}" < /dev/null >> "$base/log/start.log" 2>&1 || die "$1 did not start, see $base/log"
}
# A node counts when its slurmd has registered: a saved state may call it idle before.
ready() {
    timeout 5 scontrol -o show nodes 2>/dev/null |
        grep -E ' SlurmdStartTime=[0-9]' | grep -cE ' State=(IDLE|MIXED|ALLOCATED) ' || true
}

start() {
    local tool node end
    for tool in munged slurmctld slurmd sbatch; do
        command -v "$tool" > /dev/null || die "$tool not found: apt-get install slurm-wlm munge"
    done
    [[ ${#base} -le 60 && $base == /* && $base != *[[:space:]]* ]] ||
        die "SLURM_BASE must be absolute, without spaces, and have at most 60 characters: $base"
    [[ -e $SLURM_CONF ]] || configure
    if [[ ! -e $base/munge.key ]]; then
        (umask 077; head -c 1024 /dev/urandom > "$base/munge.key")
    fi
    chmod 700 "$base/log"
    launch munged munged --force --key-file="$base/munge.key" --socket="$base/run/munge.socket" \
        --pid-file="$base/run/munged.pid" --seed-file="$base/munged.seed" --log-file="$base/log/munged.log"
    chmod 755 "$base/log"
    launch slurmctld slurmctld -i -f "$SLURM_CONF"
    for node in "${nodes[@]}"; do launch "slurmd-$node" slurmd -N "$node" -f "$SLURM_CONF"; done
    end=$((SECONDS + patience))
    until [[ $(ready) -eq ${#nodes[@]} ]]; do
        pid_of slurmctld > /dev/null || die "slurmctld gave up, see $base/log (is port $port taken?)"
        [[ $SECONDS -lt $end ]] || die "not all nodes came up in $patience s, see $base/log"
        sleep 0.2
    done
}

stop() {
    local node
    if pid_of slurmctld > /dev/null; then timeout 10 scancel --quiet --user="$(id -un)" || true; fi
    for node in "${nodes[@]}"; do crash_node "$node"; done
    stop_daemon slurmctld
    stop_daemon munged
}

case ${1:-} in
    start | stop) "$1" ;;
    env)
        # shellcheck disable=SC2016  # PATH is that of whoever evaluates it
        printf 'export SLURM_CONF=%q PATH=%q:$PATH\n' "$SLURM_CONF" "$base/bin"
        ;;
    crash-node) crash_node "${2:?node}" ;;
    crash-controller) kill -KILL "$(pid_of slurmctld)" ;;
    *) die "see the head of this file" ;;
esac
