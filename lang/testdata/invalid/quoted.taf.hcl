# Expressions in quotes, words without them, and what is said once only.
variable "channel" {
  default = "nightly"
}

variable "quoted" {
  type    = "string" # ERROR: Invalid type specification
  default = "x"
}

variable "misspelt" {
  type    = list(strng) # ERROR: Invalid type specification
  default = []
}

index "telemetry" {
  source = "dir:data"
  layout = "telemetry"
}

filter "sessions" {
  where {
    appUpdateChannel = "var.channel"             # WARNING: Expression as a value
    submission_date  = "between(\"20140301\", \"20140302\")" # WARNING: Expression as a value
    appName          = "Firefox (beta)"
    reason           = "index.html"
  }
}

filter "each" {
  for_each = "filter.sessions" # ERROR: Bad for_each
}

map "by_os" {
  input = filter.sessions
  code  = mapper.py # ERROR: Unknown reference
}

map "top" {
  input = filter.sessions
  top   = { field = "info.locale", n = 0 } # ERROR: Wrong type of value
}

map "missing" {
  input = filter.sessions
  top   = { field = "info.locale" } # ERROR: Missing setting
}

reduce "counted" {
  input    = map.by_os
  count_by = "info.OS" # ERROR: Misplaced setting
}

output "o" {
  value  = reduce.counted
  format = "cvs" # ERROR: Unknown format
}
