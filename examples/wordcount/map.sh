#!/bin/sh
# Lines of text in, WORD TAB COUNT out. A word is letters and apostrophes; bytes above ASCII are parts of letters.
LC_ALL=C
export LC_ALL
tr 'A-Z' 'a-z' |
  tr -cs "a-z'\200-\377" '\n' |
  grep -v '^$' |
  sort |
  uniq -c |
  awk '{ print $2 "\t" $1 }'
