def combine(key, values):
    """Adds up a part of a key's values; tafc may call it at any time."""
    views = total = 0
    for count, ms in values:
        views += count
        total += ms
    return [views, total]


def reduce(key, values):
    """Called once for each key with all its values."""
    views, total = combine(key, values)
    return {"views": views, "mean_ms": total // views}
