# The memory benchmark with an operation: counts distinct keys, one a record.

index "keys" {
  source = "dir:keys/records"
}

filter "all" {}

batch {
  max_files = 1
}

map "keys" {
  format   = "jsonl"
  count_by = "k"

  resources {
    memory = "512MiB"
  }
}

reduce "keys" {
  input = map.keys

  resources {
    memory = "512MiB"
  }
}

output "keys" {
  value = reduce.keys
  to    = "keys.txt"
}
