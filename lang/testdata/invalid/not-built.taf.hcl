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
}

map "each" {
  input    = filter.days
  code     = "mapper.py"
}

output "table" {
  value  = map.each
  to     = "s3://b/key" # ERROR: Not built yet
}

