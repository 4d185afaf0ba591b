#!/usr/bin/env python3
"""What the examples must find, computed without tafc: plain code over the same files.

    python3 testdata/expected.py              print all results
    python3 testdata/expected.py NAME         print one
    python3 testdata/expected.py -write       write them to testdata/expected/

Needs Python 3 and, for .zst files, the program zstd.
"""

import collections
import gzip
import json
import lzma
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def decompress(path):
    data = path.read_bytes()
    if path.suffix in (".lzma", ".xz"):
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout
    return data


def files():
    """The telemetry files with their dimensions, by name."""
    root = HERE / "telemetry"
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if not path.is_file() or len(parts) != 5:
            continue
        build, date = parts[4].split(".")[:2]
        yield path, dict(reason=parts[0], app=parts[1], channel=parts[2], version=parts[3], build=build, date=date)


def sessions(wanted):
    """The parsed records of the files whose dimensions are wanted."""
    for path, dims in files():
        if wanted(dims):
            for line in decompress(path).decode("utf-8").split("\n"):
                if line:
                    yield json.loads(line.split("\t", 1)[1])


def os_count():
    counts = collections.Counter(
        s["info"].get("OS", "unknown")
        for s in sessions(
            lambda d: d["reason"] == "saved_session" and d["app"] == "Firefox" and d["channel"] == "nightly" and "20140303" <= d["date"] <= "20140308"
        )
    )
    return ["%s\t%d" % kv for kv in sorted(counts.items())]


def slow_startup():
    times = collections.defaultdict(list)
    for s in sessions(lambda d: d["reason"] in ("saved_session", "idle_daily") and d["app"] == "Firefox" and d["channel"] != "nightly_ux"):
        ms = s.get("simpleMeasurements", {}).get("firstPaint")
        if ms is not None:
            times[s["info"].get("OS", "unknown"), s["info"]["appVersion"]].append(ms)
    out = []
    for key in sorted(times):
        all_ms = sorted(times[key])
        slow = len([ms for ms in all_ms if ms >= 3000])
        out.append('["%s","%s"]\t{"sessions":%d,"slow":%d,"median_ms":%d}' % (*key, len(all_ms), slow, all_ms[(len(all_ms) - 1) // 2]))
    return out


def legacy():
    counts = collections.Counter(
        s["info"]["OS"] + "/" + s["info"]["appVersion"]
        for s in sessions(
            lambda d: d["reason"] == "saved_session"
            and d["app"] in ("Firefox", "Fennec")
            and d["channel"] in ("nightly", "aurora")
            and d["build"] >= "20140301000000"
            and "20140302" <= d["date"] <= "20140309"
        )
    )
    return ["%s %d" % kv for kv in sorted(counts.items())]


def memory():
    counts = collections.Counter()
    for s in sessions(lambda d: d["app"] == "Firefox"):
        paint = s.get("simpleMeasurements", {}).get("firstPaint")
        system, size = s["info"].get("OS"), s["info"].get("memsize")
        if paint is not None and paint >= 1000 and system in ("WINNT", "Darwin", "Linux") and size is not None:
            counts[system, max(b for b in (0, 2048, 4096, 8192) if b <= size)] += 1
    return ['["%s",%d]\t%d' % (*key, counts[key]) for key in sorted(counts)]


def wordcount():
    counts = collections.Counter()
    for path in sorted((HERE / "text").iterdir()):
        # bytes.lower knows ASCII only, as the shell tools do in the C locale.
        counts.update(re.findall(rb"[a-z'\x80-\xff]+", decompress(path).lower()))
    return ["%s\t%d" % (word.decode("utf-8"), n) for word, n in sorted(counts.items())]


EXAMPLES = {"legacy": legacy, "memory": memory, "os-count": os_count, "os-count-js": os_count, "slow-startup": slow_startup, "wordcount": wordcount}


def main(args):
    if args == ["-write"]:
        for name, compute in EXAMPLES.items():
            (HERE / "expected" / (name + ".txt")).write_bytes(("\n".join(compute()) + "\n").encode("utf-8"))
        return 0
    unknown = [a for a in args if a not in EXAMPLES]
    if unknown:
        print("no example %s; there are %s" % (unknown[0], ", ".join(EXAMPLES)), file=sys.stderr)
        return 64
    for name in args or EXAMPLES:
        if not args:
            print("# " + name)
        sys.stdout.buffer.write(("\n".join(EXAMPLES[name]()) + "\n").encode("utf-8"))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
