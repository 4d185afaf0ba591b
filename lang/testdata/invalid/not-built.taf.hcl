# What the language knows and this version does not build says so.
analysis "later" {
  requires_tafc = ">= 2" # ERROR: Not built yet
}

variable "secret" {
  default   = "x"
  sensitive = true # ERROR: Not built yet
  validation {     # ERROR: Not built yet
    condition     = true
    error_message = "no"
  }
}

index "remote" {
  source = "s3://bucket/prefix" # ERROR: Not built yet
}

index "local" {
  source = "dir:data"
  root   = "s3://bucket/" # ERROR: Not built yet
}

filter "days" {
  index = index.local
  limit = 3 # ERROR: Not built yet
  dynamic "exclude" {} # ERROR: Not built yet
}

map "each" {
  input    = filter.days
  code     = "mapper.py"
  for_each = ["a"]         # ERROR: Not built yet
  secrets  = {}            # ERROR: Not built yet
  count_by = ["info.OS"]   # ERROR: Not built yet
  where {}                 # ERROR: Not built yet
  resources {
    cpus = 4      # ERROR: Not built yet
    disk = "1GiB" # ERROR: Not built yet
  }
}

output "table" {
  value  = map.each
  format = "parquet"    # ERROR: Not built yet
  sort   = "key"        # ERROR: Not built yet
  top    = 3            # ERROR: Not built yet
  to     = "s3://b/key" # ERROR: Not built yet
}

output "one" {
  value = map.each["a"] # ERROR: Not built yet
}

notify {}               # ERROR: Not built yet
test "t" {}             # ERROR: Not built yet
function "f" {}         # ERROR: Not built yet
engine "taskcluster" {} # ERROR: Not built yet
