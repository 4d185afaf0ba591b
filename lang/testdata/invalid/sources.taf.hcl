# Indexes that cannot be read.
index "bare" { source = "data" }        # ERROR: Unknown source
index "typo" { source = "sqlit:x.db" }  # ERROR: Unknown source
index "none" { source = "dir:" }        # ERROR: Unknown source
index "ftp" {
  source = "dir:x"
  root   = "ftp://host/" # ERROR: Unknown source
  table  = "files"       # ERROR: Misplaced setting
}
index "name" {
  source = "dir:x"
  layout = "telemetri" # ERROR: Bad layout
}
index "brace" {
  source = "dir:x"
  layout = "{a}/{b" # ERROR: Bad layout
}
index "twice" {
  source = "dir:x"
  layout = "{a}/{a}/{rest}" # ERROR: Bad layout
}
filter { index = index.bare }
map "m" { code = "mapper.py" }
output "o" { value = map.m }
index "web" { source = "https://example.org/files" }              # ERROR: Unknown source
index "pg" { source = "postgres:telemetry" }                      # ERROR: Unknown source
index "secret" { source = "postgres://me:secret@host/telemetry" } # WARNING: Password in the file
index "folder" {
  source  = "dir:x"
  columns = { key = "path" } # ERROR: Misplaced setting
}
index "own" {
  source  = "sqlite:index.db"
  columns = { key = "path" } # ERROR: Misplaced setting
}
index "cols" {
  source = "postgres://host/telemetry"
  layout = "columns:country,,day" # ERROR: Bad layout
}
