# for_each, dynamic blocks and functions of the file's own that are not right.
index {
  source = "dir:data"
  layout = "{app}/{day:date}.{rest}"
}

locals {
  channels = { nightly = "nightly", beta = "beta" }
  long     = { for n in range(1, 3) : join("", [for i in range(1, 102) : "x"]) => n... }
}

filter "by" {
  for_each = local.channels
  where {
    app  = each.vaule    # ERROR: Incomplete reference
    appp = each.key      # ERROR: Unknown dimension
  }
}

filter "bad" {
  for_each = ["a", "b", "a"] # ERROR: Bad for_each
}

filter "numbers" {
  for_each = [1, 2]     # ERROR: Bad for_each
}

filter "null" {
  for_each = null       # ERROR: Bad for_each
}

filter "text" {
  for_each = "nightly"  # ERROR: Bad for_each
}

filter "empty_key" {
  for_each = { "" = 1 } # ERROR: Bad for_each
}

filter "control" {
  for_each = ["a\nb"]   # ERROR: Bad for_each
}

filter "long" {
  for_each = local.long # ERROR: Bad for_each
}

filter "each" {
  for_each = [each.key] # ERROR: Unknown reference
}

filter "outside" {
  where {
    app = each.key      # ERROR: Unknown reference
  }
}

filter "none" {
  for_each = {}
  wher {}               # ERROR: Unknown block
  where {
    app = each.key
  }
}

map "m" {
  for_each = filter.by
  input    = each.value
  code     = "mapper.py"
  cod      = "mapper.py" # ERROR: Unknown argument
}

map "key" {
  input = filter.by["nightli"] # ERROR: Unknown filter
  code  = "mapper.py"
}

map "dynamic_key" {
  for_each = ["nightly", "betta"]
  input    = filter.by[each.key]     # ERROR: Unknown filter
  code     = "mapper.py"
}

map "whole" {
  input = filter.by    # ERROR: Reference needed
  code  = "mapper.py"
}

map "nobody" {
  input = filter.none  # ERROR: Reference needed
  code  = "mapper.py"
}

map "into" {
  input = filter.by.nightly.name # ERROR: Reference into a block
  code  = "mapper.py"
}

map "single" {
  input = filter.outside["a"] # ERROR: Reference into a block
  code  = "mapper.py"
}

map "twins" {
  for_each = map.twin # ERROR: Circular references
  input    = filter.by["beta"]
  code     = "mapper.py"
}

map "twin" {
  for_each = map.twins
  input    = filter.by["beta"]
  code     = "mapper.py"
}

reduce "over_filter" {
  input = filter.by    # ERROR: Reference needed
  code  = "reducer.py"
}

reduce "all" {
  input = map.m
  code  = "reducer.py"
}

output "whole" {
  value = map.m        # ERROR: Reference needed
}

output "same" {
  for_each = map.m
  value    = each.value
  to       = "one.txt" # ERROR: Two outputs to one file
}

dynamic {}               # ERROR: Bad dynamic block
dynamic "locals" {}      # ERROR: Bad dynamic block
dynamic "fitler" {}      # ERROR: Unknown block
dynamic "filter" "x" {}  # ERROR: Bad dynamic block
dynamic "map" {}         # ERROR: Missing argument # ERROR: Bad dynamic block

dynamic "filter" {
  for_each = ["x"]
  iterator = "it"        # ERROR: Bad dynamic block
  foreach  = 1           # ERROR: Unknown argument
  contents {}            # ERROR: Unknown block
  content {}
  content {}             # ERROR: Duplicate block
}

dynamic "filter" {
  for_each = 3           # ERROR: Bad for_each
  labels   = ["a"]
  content {
    allow = true         # ERROR: Unknown argument
  }
}

dynamic "filter" {
  for_each = ["a", "a"]
  iterator = it
  labels   = ["f ${it.key}"] # ERROR: Bad name # ERROR: Bad name
  content {}
}

dynamic "filter" {
  for_each = ["a", "b"]
  iterator = var         # ERROR: Bad dynamic block
  labels   = ["x"]
  content {}
}

dynamic "batch" {
  for_each = [1, 2]
  labels   = []          # ERROR: Bad dynamic block
  content {}
}

dynamic "retry" {        # ERROR: Duplicate block
  for_each = [1, 2]
  content {}
}

dynamic "filter" {         # ERROR: Duplicate name
  for_each = ["a", "b"]
  iterator = it
  labels   = ["same"]
  content {
    dynamic "where" {
      for_each = [it.key]
      content {
        appp = where.value # ERROR: Condition is not a text # ERROR: Unknown dimension
        app  = it.val      # ERROR: Incomplete reference
        dynamic "x" {}     # ERROR: Bad dynamic block
      }
    }
  }
}

function {               # ERROR: Missing block label
  params = []
  result = 1
}

function "upper" {       # ERROR: Duplicate name
  params = []
  result = 1
}

function "twice" {
  params = [a, a]        # ERROR: Bad function
  result = 1
}

function "quoted" {
  params = ["a"]         # ERROR: Bad function
  result = 1
}

function "rooted" {
  params = [var]         # ERROR: Bad function
  result = 1
}

function "listless" {
  params = a             # ERROR: Bad function
  result = 1
}

function "empty" {       # ERROR: Missing argument # ERROR: Missing argument
}

function "loop" {
  params = [a]
  result = loop2(a)      # ERROR: Circular references
}

function "loop2" {
  params = [a]
  result = loop(a)
}

function "self" {
  params = []
  result = local.self    # ERROR: Circular references
}

function "num" {
  params = [a]
  result = a + missing   # ERROR: Unknown reference
}

function "add" {
  params = [a, b]
  result = a + b
}

locals {
  l1   = loop(1)
  self = self()
  few  = add(1)          # ERROR: Not enough function arguments
  many = add(1, 2, 3)    # ERROR: Too many function arguments
  kind = add(1, "x")     # ERROR: Error in a function
  n    = num(1)
  q    = quoted(1)
}
