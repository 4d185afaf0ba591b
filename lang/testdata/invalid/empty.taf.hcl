# ERROR: No map # ERROR: No output
filter {} # ERROR: Nothing to refer to
