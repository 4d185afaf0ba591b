"""Which starts are slow: ([OS, version], ms) becomes ([OS, version], [ms, 1 or 0])."""

import os

SLOW_MS = int(os.environ["SLOW_MS"])


def map(record):
    # The records of a map over a map are its pairs: the key and the value as they were yielded.
    ms = record.value
    yield record.key, [ms, 1 if ms >= SLOW_MS else 0]
