# One mistake, one message: what only follows from it is not reported.
variable "days" {
  defualt = 7       # ERROR: Unknown argument
}

idnex "telemetry" { # ERROR: Unknown block
  source = "dir:data"
}

filter "beta" {
  index = index.telemetry
}

index "other" {
  sorce  = "dir:data" # ERROR: Unknown argument
  layout = "telemetri" # ERROR: Bad layout
}

filter "all" {
  where {
    reason = "main"
  }
}

map {               # ERROR: Missing block label
  code = "mapper.py"
}

map "by_os" {
  inptu = filter.all  # ERROR: Unknown argument
  cdoe  = "mapper.py" # ERROR: Unknown argument
}

redcue "total" { # ERROR: Unknown block
  input = map.by_os
}

reduce "sum" {
  inptu = map.nameless # ERROR: Unknown argument
  code  = "reducer.py"
}

reduce "typo" {
  input = map.by_oss # ERROR: Unknown map
  code  = "reducer.py"
}

engine "local" {
  worker = 2 # ERROR: Unknown argument
}

output "a" {
  value = reduce.total
}

output "b" {
  value = map.nameless
}

output "c" {
  valeu = map.by_os # ERROR: Unknown argument
}

output "d" {
  value = sum # ERROR: Unknown reference
}
