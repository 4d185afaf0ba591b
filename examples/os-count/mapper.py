"""One pair (operating system, 1) for each session."""


def map(record):
    info = record.value.get("info", {})  # record.value is the parsed JSON
    yield info.get("OS", "unknown"), 1
