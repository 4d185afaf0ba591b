"""The best plain Python: multiprocessing over the gzip module. Prints key TAB count, sorted.

    python3 pool.py FOLDER json|orjson
"""

import collections
import gzip
import json
import multiprocessing
import os
import sys

if sys.argv[2] == "orjson":
    from orjson import loads
else:
    loads = json.loads


def count(path):
    counts = collections.Counter()
    with gzip.open(path, "rb") as lines:
        for line in lines:
            info = loads(line.split(b"\t", 1)[1])["info"]
            counts[info.get("OS"), info["appVersion"]] += 1
    return counts


def main():
    files = [os.path.join(folder, f) for folder, _, names in os.walk(sys.argv[1]) for f in names if f.endswith(".gz")]
    total = collections.Counter()
    with multiprocessing.Pool() as pool:
        for counts in pool.imap_unordered(count, files, chunksize=4):
            total.update(counts)
    for key, n in sorted(total.items(), key=lambda kv: [(v is not None, v or "") for v in kv[0]]):
        print("%s\t%d" % (json.dumps(list(key), separators=(",", ":")), n))


if __name__ == "__main__":
    main()
