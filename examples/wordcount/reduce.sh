#!/bin/sh
# Sorted WORD TAB COUNT lines in, one line with the sum for each word out.
LC_ALL=C
export LC_ALL
awk -F '\t' '
  $1 "" != word "" { if (NR > 1) print word "\t" sum; word = $1; sum = 0 }
  { sum += $2 }
  END { if (NR > 0) print word "\t" sum }
'
