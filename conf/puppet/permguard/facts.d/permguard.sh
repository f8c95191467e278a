#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The structured fact `permguard`: what `permguard audit --httpd --format json` prints, for
# PuppetDB. It takes at most 25 s and 256 KiB, else the fact says what went wrong; where the command
# is not installed there is no fact.
set -u

limit=262144
command -v permguard >/dev/null || exit 0

answer=$(timeout -k 5 20 permguard audit --httpd --format json 2>/dev/null |
  head -c "$((limit + 1))")

LC_ALL=C
if [ "${#answer}" -gt "$limit" ]; then
  answer='{"error": "more findings than a fact can hold"}'
else
  # Only the document's last brace stands at the begin of a line.
  case $answer in
  '{'*'
}') ;;
  *) answer='{"error": "permguard audit --httpd gave no answer"}' ;;
  esac
fi
printf '{"permguard": %s}\n' "$answer"
