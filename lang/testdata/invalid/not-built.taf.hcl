# What the language knows and this version does not build says so.
index "remote" {
  source = "s3://bucket/prefix" # ERROR: Not built yet
}

index "local" {
  source = "dir:data"
  root   = "s3://bucket/" # ERROR: Not built yet
}

filter "days" {
  index = index.local
  dynamic "exclude" {} # ERROR: Not built yet
}

map "each" {
  input    = filter.days
  code     = "mapper.py"
  for_each = ["a"]         # ERROR: Not built yet
}

output "table" {
  value  = map.each
  to     = "s3://b/key" # ERROR: Not built yet
}

output "one" {
  value = map.each["a"] # ERROR: Not built yet
}

test "t" {}             # ERROR: Not built yet
function "f" {}         # ERROR: Not built yet

