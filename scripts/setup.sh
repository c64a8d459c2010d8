#!/usr/bin/env bash
# Makes .venv from requirements/dev.txt and installs the project into it, editable.
# Safe to repeat. PYTHON=... chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
        if command -v "$candidate" >/dev/null && is_recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "make setup: no Python 3.11 or later found; on Debian: apt-get install python3 python3-venv" >&2
    exit 1
}

# Debian ships python3 without the part that puts pip into a new environment.
provide_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    echo "make setup: this Python cannot make virtual environments (python3-venv is missing)"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq python3-venv
    else
        echo "make setup: as root, run: apt-get install python3-venv; then run make setup again" >&2
        exit 1
    fi
}

if [ ! -x .venv/bin/python ] || ! is_recent .venv/bin/python; then
    python="$(find_python)"
    provide_venv "$python"
    echo "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

install=(.venv/bin/python -m pip --disable-pip-version-check install --quiet)
echo "installing the locked packages (the first time this takes a minute or two)"
# --no-deps: the lock names everything; resolving anew would ask for `coverage[toml]` without a pin.
"${install[@]}" --no-deps --require-hashes --requirement requirements/dev.txt
"${install[@]}" --no-deps --no-build-isolation --no-index --editable .
.venv/bin/python -m pip --disable-pip-version-check check >/dev/null
touch .venv/.ready
echo "ready: .venv/bin/waybill --help"
