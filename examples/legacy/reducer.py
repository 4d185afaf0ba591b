def reduce(k, v):
    total = 0
    for i in v:
        total += int(i)
    return k + ' ' + str(total)
