# Circles name all their members once.
locals {
  c = local.a # ERROR: Circular references
  a = local.b
  b = "${local.c}!"
  d = local.c
  e = local.e # ERROR: Circular references
}
index { source = "dir:data" }
filter {}
map "a" {
  input = reduce.c # ERROR: Circular references
  code  = "x.py"
}
map "b" {
  input = map.a
  code  = "x.py"
}
reduce "c" {
  input = map.b
  code  = "x.py"
}
map "d" {
  input = map.b
  code  = "x.py"
}
output "o" { value = map.d }
