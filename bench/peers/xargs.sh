#!/bin/sh
# What one would write without tafc: zcat and Python, as many at once as there are cores. Prints key TAB count, sorted.
#
#   bench/peers/xargs.sh FOLDER [FILES]     FILES is how many one Python process reads, default 1
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
export here
find "$1" -name '*.gz' -print0 |
  xargs -0 -P "$cores" -n "${2:-1}" sh -c 'gzip -dc "$@" | python3 "$here/count.py"' sh |
  python3 "$here/count.py" -merge
