# How often was each page seen, and how slow was it? Three days of two sites are in data/.
# tafc plan shows what would run, tafc run runs it; after a change only what the change touches runs again.

index "visits" {
  source = "dir:data"
  layout = "{day:date}/{site}.{rest}"
}

filter "shop" {
  where {
    site = "shop"
    day  = between("2026-03-01", "2026-03-03")
  }
}

map "views" {
  code   = "mapper.js"
  format = "jsonl"
}

reduce "pages" {
  input = map.views
  code  = "reducer.js"
}

output "pages" {
  value = reduce.pages
  to    = "results/pages.txt"
}

# tafc test gives the code these records and compares what comes out.

test "a visit is one view" {
  stage = map.views
  records = [
    { page = "/", ms = 120 },
    { page = "/help", ms = 300 },
  ]
  expect = {
    "/"     = [1, 120]
    "/help" = [1, 300]
  }
}

test "views are added up" {
  stage = reduce.pages
  input = [
    ["/", [1, 120]],
    ["/", [2, 180]],
  ]
  expect = {
    "/" = { views = 3, mean_ms = 100 }
  }
}
