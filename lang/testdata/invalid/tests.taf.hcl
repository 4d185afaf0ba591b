index {
  source = "dir:data"
  layout = "{country}/{day:date}/{rest}"
}

filter {}

map "m" {
  code = "m.py"
}

map "n" {
  input = map.m
  code  = "m.py"
}

reduce "r" {
  input = map.n
  code  = "r.py"
}

output "o" {
  value = reduce.r
}

test { # ERROR: Missing block label
  stage = map.m
}

test " " { # ERROR: Bad name
  stage = map.m
}

test "nothing" { # ERROR: Bad test
  stage = map.m
}

test "no stage" { # ERROR: Missing argument
  records = ["a"]
}

test "an output" {
  stage   = "map.m" # ERROR: Wrong type of value
  records = ["a"]
}

test "both" {
  stage   = map.m
  records = ["a"]
  input   = "file" # ERROR: Bad test
}

test "both" { # ERROR: Duplicate name
  stage   = map.m
  records = ["a"]
}

test "records" {
  stage   = map.m
  records = "a" # ERROR: Bad test
}

test "a record" {
  stage = map.m
  records = [
    "a",
    7, # ERROR: Bad test
  ]
}

test "pairs for files" {
  stage = map.m
  input = [["a", 1]] # ERROR: Bad test
}

test "no pairs" {
  stage = map.n
  input = [1, 2] # ERROR: Bad test
}

test "too long" {
  stage = map.n
  input = [["a", 1, 2]] # ERROR: Bad test
}

test "one pair" {
  stage  = reduce.r
  input  = [["a", 1]]
  expect = ["a", 1] # ERROR: Bad test
}

test "a number" {
  stage  = reduce.r
  input  = { a = 1 }
  expect = 3 # ERROR: Bad test
}

test "a condition" {
  stage  = reduce.r
  input  = { a = atleast("1") } # ERROR: Bad test
  expect = [["a", any()]]       # ERROR: Bad test
}

test "both ends" {
  stage        = reduce.r
  records      = ["a"]
  expect       = {} # ERROR: Bad test
  expect_error = "a"
}

test "regexp" {
  stage        = map.m
  records      = ["a"]
  expect_error = "(" # ERROR: Bad regular expression
}

test "bad keys" {
  stage              = reduce.r
  input              = { a = 1 }
  expect_bad_records = 1 # ERROR: Bad test
}

test "laws" {
  stage = reduce.r
  input = { a = 1 }
  laws  = ["asociative"] # ERROR: Bad test
}

test "laws, of a number" {
  stage = reduce.r
  input = { a = 1 }
  laws  = 3 # ERROR: Bad test
}

test "dims of pairs" {
  stage = reduce.r
  input = { a = 1 }
  file  = "a" # ERROR: Bad test
}

test "unknown dimension" {
  stage   = map.m
  records = ["a"]
  dims    = { contry = "de" } # ERROR: Unknown dimension
}

test "numbers" {
  stage              = map.m
  input              = "file"
  expect_bad_records = 0 # ERROR: Value out of range
  float_tolerance    = 2 # ERROR: Value out of range
}
