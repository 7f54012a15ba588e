#!/bin/sh
# The programs that whole-program tests talk to, beside Node: a browser, forward proxies, a terminal, ps.
# Installs what is missing where it may (Debian, as root); else says what to install, and fails.
set -eu
# program:Debian package
wanted="prlimit:util-linux chromium:chromium tinyproxy:tinyproxy-bin microsocks:microsocks tmux:tmux ps:procps"

missing=""
for each in $wanted; do
  command -v "${each%%:*}" >/dev/null 2>&1 || missing="$missing ${each##*:}"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # A machine that has just been started may be at its own updates: the lists it has will do, and its installing is waited for.
  apt-get update -qq || true
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends $missing >/dev/null
  exit 0
fi
echo "The tests need further programs. On Debian or Ubuntu: sudo apt-get install$missing" >&2
exit 1
