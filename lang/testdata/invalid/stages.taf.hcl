# Stages whose parts do not fit together.
index { source = "dir:data" }
filter { }

map "both" {
  code    = "mapper.py"
  command = "grep x" # ERROR: Code and command
}

map "neither" {} # ERROR: Nothing to run

map "contract" {
  command  = "grep x"
  contract = "taf" # ERROR: Contract of a command
}

map "entry" {
  command = ["grep", "x"]
  entry   = "main" # ERROR: Misplaced setting
}

map "second" {
  input  = map.both
  code   = "mapper.py"
  format = "lines" # ERROR: Misplaced setting
  env    = { "A=B" = "1" } # ERROR: Bad name
  batch {          # ERROR: Misplaced setting
    max_files = 3
  }
}

output "a" {
  value = map.second
  to    = "out/result.txt"
}

output "b" {
  value = map.second
  to    = "out/./result.txt" # ERROR: Two outputs to one file
}

map "null" { # ERROR: Nothing to run
  code    = null
  command = null
}
