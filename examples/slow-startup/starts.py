"""The milliseconds to the first paint of each session that has painted: ([OS, version], ms)."""

import session  # shipped with this file, because it lies beside it


def map(record):
    ms = session.first_paint(record.value)
    if ms is not None:
        yield session.platform(record.value), ms
