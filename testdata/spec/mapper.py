def map(record):
    yield record.value["info"]["OS"], 1
