"""Sessions by operating system and version of the application."""


def map(record):
    info = record.value["info"]
    yield [info.get("OS"), info["appVersion"]], 1


def reduce(key, values):
    return sum(values)


combine = reduce
