#!/bin/sh
# Prints the Python that .venv is built with: the one that PYTHON names, else python3.11, else a newer one.
# Fails with one line that says what to do.
set -u

usable() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

complain() {
    echo "$1 Install Python 3.11 (Debian: apt-get install python3.11 python3.11-venv) or name one: make PYTHON=/path/to/python3.11" >&2
    exit 1
}

if [ -n "${PYTHON:-}" ]; then
    usable "$PYTHON" || complain "PYTHON=$PYTHON can't be used: it must be Python 3.11 or newer, with venv and ensurepip."
    command -v "$PYTHON"
    exit 0
fi
for name in python3.11 /usr/bin/python3.11 /usr/local/bin/python3.11 python3.12 python3.13 python3.14 python3 python; do
    if usable "$name"; then
        command -v "$name"
        exit 0
    fi
done
found=$(python3 --version 2>/dev/null || echo "no Python at all")
complain "KommoBridge needs Python 3.11 or newer, with venv and ensurepip; here is $found."
