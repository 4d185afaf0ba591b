# What the language knows and this version does not build says so.
index "remote" {
  source = "inventory:list"
}

index "local" {
  source = "dir:data"
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
  to     = "https://b/key" # ERROR: Not built yet
}

