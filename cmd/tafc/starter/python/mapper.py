def map(record):
    """Called for each record; what it yields is grouped by key."""
    visit = record.value
    yield visit["page"], [1, visit["ms"]]
