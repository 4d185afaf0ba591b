{"index": {"data": {"source": "dir:data"}}}
