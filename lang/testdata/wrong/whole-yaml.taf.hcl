index:
  source: dir:data
