"""Sessions, slow sessions and the lower median of each platform."""


def reduce(key, values):
    times = []
    slow = 0
    for ms, is_slow in values:
        times.append(ms)
        slow += is_slow
    times.sort()
    return {"sessions": len(times), "slow": slow, "median_ms": times[(len(times) - 1) // 2]}
