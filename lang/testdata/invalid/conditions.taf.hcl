# Conditions that cannot be meant.
index {
  source = "sqlite:index.db"
  layout = "telemetry"
}

filter {
  where {
    reason          = []        # ERROR: Empty list of values
    appname         = "Firefox" # ERROR: Unknown dimension
    appVersion      = 29.0      # ERROR: Condition is not a text
    appBuildID      = "*"       # ERROR: Star as a value
    submission_date = between("20140310", "20140308") # ERROR: Inverted range
  }
  exclude {
    reason           = glob("[a")      # ERROR: Bad pattern
    appName          = matches("(")    # ERROR: Bad regular expression
    appUpdateChannel = ["beta", null]  # ERROR: Condition is not a text
    appVersion       = "29.*"          # WARNING: Pattern as a value
    appBuildID       = between(1, "2") # ERROR: Condition is not a text
    submission_date  = oneof()         # ERROR: Empty list of values
  }
}

filter "both" {
  document = "Filter.json"
  where { # ERROR: Conditions beside a document
    reason = { min = "a" } # ERROR: Condition is not a text
  }
}

filter "empty" {
  document = "" # ERROR: Empty value
}

batch {
  group_by = ["day"] # ERROR: Unknown dimension
}

map "m" {
  input  = filter.default
  code   = "mapper.py"
  format = any() # ERROR: Wrong type of value
}

output "o" {
  value = map.m
}
