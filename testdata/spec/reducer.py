def reduce(key, values):
    return sum(values)
