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
