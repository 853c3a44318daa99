# Shared functions of the provhub test environment. Sourced, not run.
# Every server listens on 127.0.0.1 only and keeps all it writes under
# $TESTENV_DIR. Servers are ended by the process id recorded at start.

set -euo pipefail
: "${TESTENV_HOME:=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}"
: "${TESTENV_NAME:=provhub-testenv}"
: "${ALL_SERVICES:=slapd sftp postgres mariadb scim scimkit smtp oidc toxiproxy}"
: "${DEFAULT_SERVICES:=slapd sftp postgres mariadb scim scimkit smtp oidc toxiproxy}"

if [ "$(id -u)" = 0 ]; then
  : "${PROVHUB_TEST_DIR:=/var/lib/$TESTENV_NAME}"
else
  : "${PROVHUB_TEST_DIR:=${XDG_STATE_HOME:-$HOME/.local/state}/$TESTENV_NAME}"
fi
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

log()  { printf '%s\n' "testenv: $*" >&2; }
die()  { log "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif have sudo; then sudo -n "$@"
  else die "needs root to run: $*"; fi
}

# apt_need PACKAGE... installs the packages that are missing. While it runs no
# maintainer script starts a system-wide daemon: a policy-rc.d is put in place
# only where the system has none, and only that one is taken away again.
apt_need() {
  local p missing=() made=
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  log "installing ${missing[*]}"
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\n# provhub-testenv: no service starts while it installs\nexit 101\n' |
      as_root tee /usr/sbin/policy-rc.d >/dev/null
    as_root chmod 755 /usr/sbin/policy-rc.d
    made=1
  fi
  local rc=0 try
  for try in 1 2; do
    rc=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$TESTENV_DIR/apt.log" 2>&1 || rc=$?
    [ $rc = 0 ] || [ $try = 2 ] ||
      as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >>"$TESTENV_DIR/apt.log" 2>&1 || true
    [ $rc != 0 ] || break
  done
  if [ -n "$made" ] && grep -q provhub-testenv /usr/sbin/policy-rc.d 2>/dev/null; then
    as_root rm -f /usr/sbin/policy-rc.d
  fi
  [ $rc = 0 ] || { tail -5 "$TESTENV_DIR/apt.log" >&2; die "apt-get install failed: ${missing[*]}"; }
}

# npm_need FOLDER [OPTION...] installs FOLDER/package.json into $D, once per content.
npm_need() {
  local src=$1 want
  shift
  have node || apt_need nodejs
  have npm || apt_need npm
  want=$(cat "$src/package.json" "$src/package-lock.json" | sha256sum | cut -c1-16)
  [ "$(cat "$D/npm.stamp" 2>/dev/null || true)" != "$want" ] || return 0
  log "npm ci for $SVC"
  rm -rf "$D/node_modules"
  cp "$src/package.json" "$src/package-lock.json" "$D/"
  (cd "$D" && npm ci --omit=dev --no-audit --no-fund --loglevel=error "$@" >"$D/npm.log" 2>&1) ||
    { tail -5 "$D/npm.log" >&2; die "npm ci failed"; }
  echo "$want" >"$D/npm.stamp"
}

# Looks for a listener without connecting to it, so that no server logs a visit.
port_free() {
  local h; h=$(printf '%04X' "$1")
  ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v p=":$h" '$4 == "0A" && substr($2, length($2) - 4) == p { f = 1 } END { exit !f }'
}

# choose_port NAME DEFAULT prints a port: $PROVHUB_TEST_<NAME>_PORT if set,
# else the one used last time, else DEFAULT, else a free one.
choose_port() {
  local var=PROVHUB_TEST_$1_PORT f=$D/port.$1 p i
  p=${!var:-}
  if [ -n "$p" ]; then
    port_free "$p" || die "$var=$p is in use"
  else
    p=$(cat "$f" 2>/dev/null || echo "$2")
    for i in $(seq 200); do
      port_free "$p" && break
      p=$((20000 + RANDOM % 12000))
    done
  fi
  echo "$p" >"$f"; echo "$p"
}
port_of() { cat "$D/port.$1"; }

wait_port() { # PORT [SECONDS]
  local i
  for i in $(seq $((${2:-20} * 20))); do
    is_running || return 1
    port_free "$1" || return 0
    sleep 0.05
  done
  return 1
}

# found [-i] PATTERN reads all of its input, which grep -q does not: a client that
# is still writing when grep -q has gone fails, and with it the pipe.
found() { grep "$@" >/dev/null; }

# The process is recorded as "PID STARTTIME", so that a reused id is never
# taken for ours.
proc_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
record_pid() { echo "$1 $(proc_start "$1")" >"$D/proc"; }
run_pid() {
  local pid st
  read -r pid st 2>/dev/null <"$D/proc" || return 1
  [ -n "$st" ] && [ "$(proc_start "$pid")" = "$st" ] || return 1
  # a zombie holds nothing any more
  [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ] || return 1
  echo "$pid"
}
is_running() { run_pid >/dev/null; }

# spawn COMMAND... starts a daemon that outlives this shell.
spawn() {
  setsid "$@" </dev/null >>"$D/log" 2>&1 8>&- 9>&- &
  record_pid $!
  disown
}

stop_pid() { # [SIGNAL [SECONDS]]
  local pid i
  pid=$(run_pid) || { rm -f "$D/proc"; return 0; }
  kill -"${1:-TERM}" "$pid" 2>/dev/null || true
  for i in $(seq $((${2:-15} * 20))); do is_running || break; sleep 0.05; done
  if is_running; then log "$SVC: pid $pid did not end, killing it"; kill -KILL "$pid" 2>/dev/null || true; sleep 0.2; fi
  rm -f "$D/proc"
}

# issue_cert NAME SAN makes tls/NAME.pem and tls/NAME.key, signed by a CA of our own.
issue_cert() {
  local t=$TESTENV_DIR/tls n=$1
  [ ! -s "$t/$n.pem" ] || return 0
  have openssl || apt_need openssl
  mkdir -p "$t"
  if [ ! -s "$t/ca.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
      -subj "/CN=provhub test CA" -keyout "$t/ca.key" -out "$t/ca.pem" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  fi
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj "/CN=localhost" -keyout "$t/$n.key" -out "$t/$n.csr" 2>/dev/null
  openssl x509 -req -in "$t/$n.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2") -out "$t/$n.new" 2>/dev/null
  chmod 600 "$t"/*.key; chmod 644 "$t/ca.pem" "$t/$n.new"
  mv "$t/$n.new" "$t/$n.pem"
}
make_tls() { issue_cert server DNS:localhost,IP:127.0.0.1; }

env_var() { printf "export %s='%s'\n" "$1" "$2"; }

write_env_file() {
  local s
  {
    echo "# provhub test environment; source this file"
    [ ! -f "$TESTENV_DIR/tls/ca.pem" ] || env_var PROVHUB_TEST_CA_FILE "$TESTENV_DIR/tls/ca.pem"
    for s in $ALL_SERVICES; do
      D=$TESTENV_DIR/$s
      if [ -f "$D/env" ] && is_running; then cat "$D/env"; fi
    done
  } >"$TESTENV_DIR/env.new"
  mv "$TESTENV_DIR/env.new" "$TESTENV_DIR/env"
}

# use_service NAME loads its functions: svc_install svc_start svc_check and,
# where it differs from the plain way, svc_stop and svc_purge.
use_service() {
  SVC=$1
  [ -f "$TESTENV_HOME/services/$SVC.sh" ] || die "no such service: $SVC (there are: $ALL_SERVICES)"
  D=$TESTENV_DIR/$SVC
  svc_install() { :; }
  svc_stop() { stop_pid; }
  svc_purge() { :; }
  . "$TESTENV_HOME/services/$SVC.sh"
}

service_up() (
  use_service "$1"
  mkdir -p "$D"
  if is_running; then log "$SVC: running, pid $(run_pid)"; exit 0; fi
  svc_install
  # one start at a time for all environments of this account, so that no two choose the same port
  exec 8>"${TMPDIR:-/tmp}/provhub-testenv.$(id -u).lock"
  ! have flock || flock -w 300 8
  svc_start || { tail -15 "$D/log" >&2 2>/dev/null; svc_stop; die "$SVC did not start"; }
  svc_check >"$D/check.log" 2>&1 || { cat "$D/check.log" >&2; die "$SVC: check failed"; }
  log "$SVC: up, pid $(run_pid)"
)
service_down()  ( use_service "$1"; [ -d "$D" ] || exit 0; if is_running; then svc_stop; log "$SVC: down"; fi; rm -f "$D/proc"; )
service_purge() ( use_service "$1"; [ -d "$D" ] || exit 0; svc_purge; rm -rf "$D"; )
service_status() (
  use_service "$1"
  if ! is_running; then printf '%-10s down\n' "$SVC"; exit 3; fi
  if svc_check >"$D/check.log" 2>&1; then printf '%-10s up    pid %s\n' "$SVC" "$(run_pid)"
  else printf '%-10s FAILS pid %s (see %s)\n' "$SVC" "$(run_pid)" "$D/check.log"; exit 4; fi
)

parse_args() { # sets TESTENV_DIR, PURGE, QUIET, SERVICES
  PURGE=; QUIET=; SERVICES=; TESTENV_DIR=$PROVHUB_TEST_DIR
  while [ $# -gt 0 ]; do
    case $1 in
      -d|--dir) TESTENV_DIR=$2; shift 2;;
      --purge) PURGE=1; shift;;
      -q|--quiet) QUIET=1; shift;;
      all) SERVICES=$ALL_SERVICES; shift;;
      -h|--help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0;;
      -*) die "unknown option $1";;
      *) SERVICES="$SERVICES $1"; shift;;
    esac
  done
  if [ ! -d "$TESTENV_DIR" ] && [ "${0##*/}" != up ]; then log "nothing at $TESTENV_DIR"; [ "${0##*/}" = down ]; exit $?; fi
  mkdir -p "$TESTENV_DIR"; chmod 755 "$TESTENV_DIR"
  TESTENV_DIR=$(cd "$TESTENV_DIR" && pwd)
  exec 9>"$TESTENV_DIR/.lock"
  have flock && { flock -w 600 9 || die "another run holds $TESTENV_DIR/.lock"; }
  return 0
}
