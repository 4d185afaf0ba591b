#!/usr/bin/env python3
"""Counts sessions by operating system and version without tafc, and as a program of tafc's contract streaming.

    zcat FILE | python3 lines.py          records on stdin, key TAB count out
    … | python3 lines.py -merge           adds up what several of those wrote, sorted; so does a reduce
"""

import json
import os
import sys


def count(lines):
    counts = {}
    for line in lines:
        info = json.loads(line.split("\t", 1)[1])["info"]
        key = info.get("OS"), info["appVersion"]
        counts[key] = counts.get(key, 0) + 1
    return counts


def merge(lines):
    counts = {}
    for line in lines:
        text, n = line.rstrip("\n").split("\t")
        key = tuple(json.loads(text))
        counts[key] = counts.get(key, 0) + int(n)
    return counts


def main():
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    merges = sys.argv[1:] == ["-merge"] or os.environ.get("TAF_ROLE") in ("combine", "reduce")
    counts = (merge if merges else count)(sys.stdin)
    # A missing value sorts first, as null does. One write, so that the output of several at once does not mix.
    rows = sorted(counts.items(), key=lambda kv: [(v is not None, v or "") for v in kv[0]])
    sys.stdout.write("".join("%s\t%d\n" % (json.dumps(list(k), separators=(",", ":")), n) for k, n in rows))


main()
