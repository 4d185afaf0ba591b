"""Emits distinct keys: 1,000 of each record, which is a number. Reduces by adding up."""

KEYS = 1000


def map(record):
    first = int(record.value) * KEYS
    for i in range(first, first + KEYS):
        yield "%016x" % (i * 11400714819323198485 % 18446744073709551616), 1


def reduce(key, values):
    return sum(values)
