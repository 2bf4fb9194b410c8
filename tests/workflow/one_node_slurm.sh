#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests of the workflow.
#
#     tests/workflow/one_node_slurm.sh up      # munged, slurmctld, slurmd; waits until the node is idle
#     tests/workflow/one_node_slurm.sh down    # ends them and removes what `up` has made
#
# It needs Debian's slurm-wlm and munge, and root: the daemons start jobs as their users, and what jobs
# start in turn reads /etc/slurm/slurm.conf. Where there is such a file already, of a cluster that this
# machine belongs to, nothing is touched. There are no accounts, so no sacct: `squeue` tells how jobs are.
set -euo pipefail

config=/etc/slurm/slurm.conf
state=/var/lib/mnist-study-slurm
mark="# One node, by one_node_slurm.sh of the MNIST study."

fail() { echo "one_node_slurm.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root"
for program in munged slurmctld slurmd squeue; do
  command -v "$program" > /dev/null || fail "there is no $program: apt install slurm-wlm munge"
done
[ ! -e "$config" ] || [ "$(head -n 1 "$config")" = "$mark" ] ||
  fail "$config is not of this script: this machine has a SLURM of its own"

pid_of() { cat "$state/$1.pid" 2> /dev/null || true; }

# Ends a daemon that this script has started and waits until it is gone.
stop() {
  local pid
  pid=$(pid_of "$1")
  # A number from a file left behind may be another program's by now.
  [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = "$1" ] || return 0
  kill "$pid"
  for _ in $(seq 100); do kill -0 "$pid" 2> /dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2> /dev/null || true
}

down() {
  if [ -e "$config" ]; then scancel --user=root 2> /dev/null || true; fi
  stop slurmd
  stop slurmctld
  stop munged
  rm -rf "$state" "$config"
}

up() {
  down
  mkdir -p "$state"/{controller,node,munge} "$(dirname "$config")"
  local cores memory name
  cores=$(nproc)
  memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
  name=$(hostname -s)
  cat > "$config" << END
$mark
ClusterName=study
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
MinJobAge=300
NodeName=$name NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=study Nodes=$name Default=YES MaxTime=INFINITE State=UP
END
  head -c 1024 /dev/urandom > "$state/munge/key"
  chown -R munge: "$state/munge"
  chmod 0400 "$state/munge/key"
  chmod 0755 "$state" "$state/munge"
  touch "$state/munged.pid"
  chown munge: "$state/munged.pid"
  setpriv --reuid=munge --regid=munge --clear-groups munged --key-file="$state/munge/key" \
    --socket="$state/munge/socket" --pid-file="$state/munge/munged.pid" \
    --log-file="$state/munge/munged.log" --seed-file="$state/munge/seed"
  ln -sf "$state/munge/munged.pid" "$state/munged.pid"
  slurmctld
  slurmd
  for _ in $(seq 300); do
    case $(sinfo --noheader --format=%t 2> /dev/null) in idle*) sinfo; return 0 ;; esac
    sleep 0.2
  done
  tail -n 20 "$state"/*.log >&2
  fail "the node does not become idle"
}

case ${1:-} in
  up | down) "$1" ;;
  *) fail "say up or down" ;;
esac
