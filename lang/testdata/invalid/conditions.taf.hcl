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

filter "dates" {
  where {
    submission_date = days(0)             # ERROR: Value out of range
    appBuildID      = days(7)             # ERROR: Condition on dates
    appVersion      = version("28.*")     # ERROR: Bad comparison of versions
    appName         = version(28.0)       # ERROR: Condition is not a text
    reason          = last_complete_day() # ERROR: Condition on dates
  }
  exclude {
    submission_date  = since("2014-02-30")           # ERROR: Bad date
    appUpdateChannel = ["beta", days(2)]             # ERROR: Condition on dates
    reason           = [since("20140301")]           # ERROR: Condition is not a text
    appName          = days("x")                     # ERROR: Condition is not a number
    appVersion       = [days(2000)]                  # ERROR: Value out of range
  }
}

filter "turned" {
  limit = 0 # ERROR: Value out of range
  where {
    submission_date = between("20990101", last_complete_day()) # ERROR: Inverted range
  }
  exclude {
    submission_date = atmost(days(2)) # ERROR: Condition is not a text
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
