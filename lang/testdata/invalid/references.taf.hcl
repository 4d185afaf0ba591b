# References to what is not there, of the wrong kind, or that could mean several things.
locals {
  channel = "nightly"
  channel2 = local.chanel    # ERROR: Unknown local
  silent   = local.channel2
  root     = locals.channel  # ERROR: Unknown reference
  bare     = text            # ERROR: Unknown reference
  alone    = local           # ERROR: Incomplete reference
  into     = filter.one.name # ERROR: Reference into a block
  call     = uper("x")       # ERROR: Unknown function
  failed   = parseint("x", 10) # ERROR: Invalid function argument
  silly    = "x${filter.one}" # ERROR: Invalid template interpolation value
  again    = local.failed
}

index "a" { source = "dir:a" }
index "b" { source = "dir:b" }
index "a" { source = "dir:c" } # ERROR: Duplicate name

filter "one" { index = index.c }  # ERROR: Unknown index
filter "two" {}                   # ERROR: Reference needed
filter "tri" { index = filter.one } # ERROR: Wrong kind of reference

image "x" { name = "x:1" }
image "y" { name = "y:1" }

map "m" { # ERROR: Reference needed
  image = image.x
  code  = "mapper.py"
}

map "n" { # ERROR: Reference needed
  input = filter.one
  code  = "mapper.py"
}

map "o" {
  input = image.x # ERROR: Wrong kind of reference
  image = "x"     # ERROR: Wrong type of value
  code  = "mapper.py"
}

reduce "r" {
  input = filter.one # ERROR: Wrong kind of reference
  image = image.z    # ERROR: Unknown image
  code  = "reducer.py"
}

reduce "s" {
  input = map.missing # ERROR: Unknown map
  image = image.y
  code  = "reducer.py"
}

output "o" {
  value = reduce.m # ERROR: Unknown reduce
}

output "v" {
  value = var.m # ERROR: Unknown variable
}

output "quoted" {
  value = "map.m" # ERROR: Wrong type of value
}
