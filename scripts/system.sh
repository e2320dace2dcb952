#!/bin/bash
# Installs the Debian packages that only the tests need and that are missing: Chromium, PostgreSQL, Node.js.
# Without root it says what to install; the tests then skip, by name, what can't be had. With CI=true that is a failure.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

missing=()
have chromium || have chromium-browser || have google-chrome || missing+=(chromium fonts-dejavu-core)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || have initdb || missing+=(postgresql)
have node || missing+=(nodejs)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && have apt-get; then
    echo "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if { apt-get update && apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
        exit 0
    fi
    tail -n 15 "$log" >&2
    echo "These packages could not be installed: ${missing[*]}" >&2
else
    echo "Not installed, some tests will be skipped: ${missing[*]}. As root: apt-get install ${missing[*]}" >&2
fi
case "${CI:-}" in 1 | true) exit 1 ;; esac
