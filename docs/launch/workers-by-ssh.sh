#!/bin/sh
# Workers on several hosts by ssh, until nothing is left to do. On each host espalier is installed, and the workspace lies at the same path.
#
#     ESPALIER_QUEUE=rediss://queue.lab sh workers-by-ssh.sh /data/pruning gpu1 gpu2 gpu3
#
# The password goes in by standard input: neither a command line nor a file on the hosts holds it. It stands here in ~/.config/espalier/queue-password
# (chmod 600), or where ESPALIER_QUEUE_PASSWORD_FILE says.
set -eu

folder=$1
shift
: "${ESPALIER_QUEUE:?names the queue, without a password, as rediss://queue.lab}"
password_file=${ESPALIER_QUEUE_PASSWORD_FILE:-$HOME/.config/espalier/queue-password}
devices=${ESPALIER_DEVICES:-}
idle=${ESPALIER_UNTIL_IDLE:-10m}

case $(ls -ldL "$password_file") in
  -r??------*) ;;
  *)
    echo "$password_file can be read by others: chmod 600 it" >&2
    exit 1
    ;;
esac

# Quotes a word for the shell of the other side.
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }

workers=
for host in "$@"; do
  # What the other side runs; of the password it says no more than to read it. BatchMode never asks, keep-alives notice a host that is gone.
  ssh -o BatchMode=yes -o ServerAliveInterval=30 "$host" \
    "IFS= read -r ESPALIER_QUEUE_PASSWORD; export ESPALIER_QUEUE_PASSWORD; cd $(quoted "$folder") &&" \
    "exec espalier worker --queue $(quoted "$ESPALIER_QUEUE") ${devices:+--devices $(quoted "$devices")} --until-idle $(quoted "$idle")" \
    <"$password_file" &
  workers="$workers $!"
done

# Ctrl-C, or a kill, ends the connections. A worker without one leaves when it next has something to say, or is idle.
trap 'kill $workers 2>/dev/null || :' INT TERM HUP
status=0
for worker in $workers; do wait "$worker" || status=$?; done
exit "$status"
