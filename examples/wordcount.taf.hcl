# How often each word occurs in some books. The map and the reduce are shell scripts, so this needs nothing but a POSIX system.

analysis "wordcount" {
  description = "Words and how often they occur"
}

# Plain files: without a layout their names mean nothing, and the filter takes them all. Some are compressed, which nobody
# needs to care about.
index "books" {
  source = "dir:../testdata/text"
}

filter "all" {
  index = index.books
}

# A program that is no Python or JavaScript gets records on its standard input, here lines, and writes key TAB value.
map "words" {
  input  = filter.all
  format = "lines"
  code   = "wordcount/map.sh"

  batch {
    max_files = 1
  }
}

reduce "count" {
  input = map.words
  code  = "wordcount/reduce.sh"
}

output "words" {
  value = reduce.count
  to    = "results/wordcount.txt"
}
