"""The sum of the ones of each operating system."""


def reduce(key, values):
    return sum(values)


# Sums of sums are sums: tasks may add up what they have before the last reduce.
combine = reduce
