# An analysis of 2014 as it was: its filter document and its two functions are not changed.

analysis "legacy" {
  description = "Sessions per operating system and version, with code and filter of 2014"
}

index "telemetry" {
  source = "dir:../testdata/telemetry"
  layout = "telemetry"
}

filter "document" {
  document = "legacy/Filter.json"
}

# mapper(uuid, file, js) and reduce(k, v) tell which contract they follow.
map "mapper" {
  input = filter.document
  code  = "legacy/mapper.py"
}

reduce "reducer" {
  input = map.mapper
  code  = "legacy/reducer.py"
}

output "result" {
  value = reduce.reducer
  to    = "results/legacy.txt"
}
