#!/usr/bin/env bash
# Installs the system tools that tests call, where they are missing: curl and node (the documented calls),
# strace (faults at a chosen system call). Without root it only says what to install; tests that need
# strace skip then.
set -euo pipefail

missing=()
for tool in curl node strace; do
    command -v "$tool" >/dev/null || missing+=("${tool/#node/nodejs}")
done
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    apt-get update -qq
    apt-get install -y -qq "${missing[@]}"
    exit 0
fi
echo "make setup: not installed: ${missing[*]}; as root, run: apt-get install ${missing[*]}" >&2
