# Reads [{"data": base64, "libraries": [name]}] from standard input and writes, for each, what is wrong with it.
import sys

sys.path[:] = [p for p in sys.path if p]  # the working directory is not ours

import base64, json, warnings

warnings.simplefilter("ignore")


def problem(data):
    try:
        compile(data, "code", "exec", dont_inherit=True)
    except SyntaxError as e:
        if isinstance(data, bytes):
            try:
                return problem(data.decode("utf-8-sig")) or {"message": e.msg, "line": 1}
            except UnicodeDecodeError:
                pass  # of bytes, columns are counted in bytes, which is better than nothing
        text = {"message": e.msg, "line": e.lineno or 1, "column": e.offset or 0,
                "end_line": getattr(e, "end_lineno", 0) or 0, "end_column": getattr(e, "end_offset", 0) or 0}
    except (ValueError, OverflowError, MemoryError, RecursionError) as e:
        text = {"message": str(e) or type(e).__name__, "line": 1}
    else:
        return {}
    return {k: v for k, v in text.items() if v is not None and (k == "message" or v > 0)}


def absent(names):
    if not names:
        return []
    from importlib.machinery import PathFinder
    return [n for n in names if n not in sys.builtin_module_names and PathFinder.find_spec(n) is None]


files = [dict(problem(base64.b64decode(f["data"])), absent=absent(f["libraries"])) for f in json.load(sys.stdin)]
json.dump({"version": "Python %d.%d" % sys.version_info[:2], "files": files}, sys.stdout)
