# The memory benchmark with user code: distinct keys, of which 1,000 come from each line of the input.

variable "partitions" {
  type    = number
  default = 1
}

index "keys" {
  source = "dir:keys/numbers"
}

filter "all" {}

batch {
  max_files = 1
}

map "keys" {
  code = "keys.py"

  resources {
    memory = "512MiB"
  }
}

reduce "keys" {
  input      = map.keys
  code       = "keys.py"
  partitions = var.partitions

  resources {
    memory = "512MiB"
  }
}

output "keys" {
  value = reduce.keys
  to    = "keys.txt"
}
