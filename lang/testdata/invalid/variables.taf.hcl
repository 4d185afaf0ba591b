# Variables with rules, and sensitive ones.
analysis "variables" {
  requires_tafc = "soon" # ERROR: Bad requirement
}

variable "channel" {
  default = "night" # ERROR: Invalid value of a variable
  validation {
    condition     = contains(["nightly", "beta"], var.channel)
    error_message = "Not a channel."
  }
  validation {
    condition     = strlen(var.channel) > 3
    error_message = "Too short."
  }
  validation {
    condition     = var.channel # ERROR: Wrong type of value
    error_message = "Never."
  }
  validation {
    condition     = true
    error_message = "" # ERROR: Empty value
  }
  validation { # ERROR: Missing argument
    error_message = "No condition."
  }
}

variable "token" {
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = var.tokn != "" # ERROR: Unknown variable
    error_message = "Needed."
  }
  validation {
    condition     = true
    error_message = "Not ${var.token}." # ERROR: Sensitive value
  }
}

variable "secret" { # ERROR: Invalid value of a variable
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = strlen(var.secret) > 20
    error_message = "Too short."
  }
}

variable "unset" { # ERROR: Variable without value
  validation {
    condition     = unset > 0 # ERROR: Unknown reference
    error_message = "Needed."
  }
}

variable "odd" {
  default   = 1
  sensitive = local.yes # ERROR: Wrong type of value
}

locals {
  yes    = true
  header = "Bearer ${var.token}"
  number = parseint(var.token, 10) # ERROR: Invalid function argument
}

index {
  source = "dir:${var.token}" # ERROR: Sensitive value
}

filter "f" {
  where {
    day = local.header # ERROR: Sensitive value
  }
}

map "m" {
  input   = filter.f
  command = "curl -H '${local.header}'" # ERROR: Sensitive value
  env = {
    AUTH    = local.header
    CHANNEL = "x"
  }
  secrets = { AUTH = "project/x" } # ERROR: Duplicate name
}

map "n" {
  input   = filter.f
  command = "true"
  secrets = { "A=B" = "x", C = "" } # ERROR: Bad name # ERROR: Empty value
}

map "whole" {
  input   = filter.f
  command = "true"
  env     = var.all # ERROR: Sensitive value
  resources {
    cpus = 0        # ERROR: Value out of range
    disk = "plenty" # ERROR: Bad size
  }
}

variable "all" {
  default   = { A = "b" }
  sensitive = true
}

output "o" {
  value = map.m
}
