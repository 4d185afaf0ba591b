# Operations and conditions on records.
index "local" {
  source = "dir:data"
}

filter "all" {
  where {
    day = missing() # ERROR: Condition on records
  }
}

map "two" {
  count_by = "os"
  distinct = "os" # ERROR: Two operations
}

map "both" { # ERROR: Code and an operation
  code     = "m.py"
  count_by = "os"
}

map "fields" {
  select = ["a", "b"]
  fields = ["a"] # ERROR: Misplaced setting
}

map "settings" {
  histogram = { field = "ms", bucket = [1, 2] } # ERROR: Unknown setting
}

map "descending" {
  histogram = {
    field   = "ms"
    buckets = [2, 1] # ERROR: Wrong type of value
  }
}

map "quantiles" {
  quantiles = {
    field = "ms"
    at    = [50, 99] # ERROR: Wrong type of value
  }
}

map "sum" {
  sum = "ms" # ERROR: Wrong type of value
}

map "sums" {
  sum = { by = "os" } # ERROR: Missing setting
}

map "top" {
  top = {
    field = "os"
    n     = 2.5 # ERROR: Wrong type of value
  }
}

map "counted" {
  count_by = ["os"]
}

map "most" {
  top = { field = "os", n = 3 }
}

map "code" {
  code = "m.py"
}

map "block" {
  code = "m.py"
  where {} # ERROR: Unknown block
}

map "conditions" {
  code = "m.py"
  where = {
    a = { least = 1 }                 # ERROR: Bad condition on a field
    b = between(1, "2")               # ERROR: Bad condition on a field
    c = days(7)                       # ERROR: Bad condition on a field
    d = []                            # ERROR: Empty list of values
    e = glob("[")                     # ERROR: Bad pattern
    f = matches(1)                    # ERROR: Bad condition on a field
    g = atleast(true)                 # ERROR: Bad condition on a field
    h = [1, "2", null, true, any()]   # ERROR: Bad condition on a field
    i = version("new")                # ERROR: Bad comparison of versions
    "info.OS" = ["Linux", "Darwin"]
  }
}

map "pairs" {
  input    = map.counted
  count_by = "os"        # ERROR: Misplaced setting
  where    = { a = 1 }   # ERROR: Misplaced setting
}

map "list" {
  code  = "m.py"
  where = ["a"] # ERROR: Wrong type of value
}

reduce "merged" {
  input = map.counted
}

reduce "nothing" { # ERROR: Nothing to run
  input = map.code
}

reduce "code" {
  input = map.code
  merge = true # ERROR: Nothing to merge
}

reduce "both" {
  input = map.counted
  code  = "r.py"
  merge = true # ERROR: Code and an operation
}

reduce "parts" {
  input      = map.most
  partitions = 2 # ERROR: Misplaced setting
}

output "partial" {
  value = map.counted # ERROR: Output of partial results
}

output "merged" {
  value = reduce.merged
}
