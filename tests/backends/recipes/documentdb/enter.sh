# Runs a command as "postgres" inside the Debian root ROOT, with DATA mounted on /srv/postgresql.
# Called through `unshare --mount --pid --ipc --fork`: every mount below is private to this process tree
# and goes away with it, so the root in the cache never has anything mounted in it.
# usage: enter.sh ROOT DATA COMMAND…
set -eu
root=$1
data=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mount --bind "$data" "$root/srv/postgresql"
# The death signal is set after the change of user, which would clear it.
exec chroot "$root" setpriv --reuid postgres --regid postgres --clear-groups --pdeathsig KILL -- "$@"
