#!/bin/sh
# What one would write without tafc: gzip and a program, as many at once as there are cores, and another program over what they print.
#
#   xargs.sh FOLDER FILES PROGRAM MERGE     FILES is how many one process of the program reads; PROGRAM and MERGE are lines for sh
set -eu
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
export PROGRAM="$3"
find "$1" -name '*.gz' -print0 |
  xargs -0 -P "$cores" -n "$2" sh -c 'gzip -dc "$@" | eval "$PROGRAM"' sh |
  eval "$4"
