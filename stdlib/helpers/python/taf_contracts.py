"""The contracts: how a record or a key with its values is given to the user's function, and what becomes of its answer."""

import csv
import io
import os
import re
import sys

from taf_data import Dims, Record, asked, encode, parse, parse_key, quick_parser, text_of, unpack
from taf_errors import Misuse, ParseError

_JSON = ("telemetry", "jsonl", "csv", "tsv", "pairs")


class Context:
    """What user code is given to count, to log and, in telemetry-server, to emit."""

    field_separator = "\t"
    record_separator = "\n"

    def __init__(self, task):
        self._task = task
        self.role = task.role

    def count(self, name, n=1):
        """Add n to a counter."""
        if type(name) is not str or type(n) is not int:
            raise Misuse("context.count takes a name and a whole number, not %r and %r" % (name, n))
        self._task.counted.append((name, n))

    def log(self, *things):
        """Write a line to the log of the task."""
        self._task.log(" ".join(str(t) for t in things))


class MapContext(Context):
    def __init__(self, task):
        super().__init__(task)
        self.write = task.output.emit


# ---- records


def split_key(data):
    """The key and the value of a record of a format with keys."""
    key, tab, value = data.partition(b"\t")
    if not tab:
        raise ParseError("the record has no TAB between its key and its value")
    return key, value


def whole(data):
    """The key and the value of a record of a format without keys."""
    return None, data


def read_nothing(_):
    return None


class Formats:
    """How the records of a format are read."""

    def __init__(self, name):
        self.is_json = name in _JSON
        self.is_pairs = name == "pairs"
        self.value = self._pair_value if self.is_pairs else parse if self.is_json else text_of
        self.key = parse_key if self.is_pairs else text_of
        self._quick = quick_parser() if self.value is parse else self.value
        # Without a quick parser the task reads the JSON and passes on what marshal takes.
        self.packed = self.is_json and self._quick is self.value and sys.implementation.name == "cpython"

    def reader(self, long_numbers):
        """What reads the value of a record of a block."""
        return self.value if long_numbers else self._quick

    @staticmethod
    def _pair_value(data):
        return parse(data) if data else None

    def split(self, keyed):
        return split_key if keyed else whole


def map_taf(task, function):
    emit, formats, context = task.output.emit, task.formats, task.context
    new = Record.__new__

    def for_file(path, dims, keyed, long_numbers):
        split = formats.split(keyed)
        record_of_file = type("Record", (Record,), {
            "__slots__": (), "file": path, "dims": Dims(task.dims, dims), "context": context, "_names": task.fields,
            "_read": staticmethod(formats.reader(long_numbers)), "_read_key": staticmethod(formats.key if keyed else read_nothing),
        })

        def one(data, packed):
            record = new(record_of_file)
            record._key, record.bytes = split(data)
            record._packed = packed
            answer = function(record)
            if answer is not None:
                emit_all(emit, answer, task.name)

        return one

    return for_file


def emit_all(emit, answer, name):
    """Emit what a function gave: one pair as a tuple, or anything that yields pairs."""
    if type(answer) is tuple:
        answer = (answer,)
    elif isinstance(answer, (str, bytes, dict)) or not hasattr(answer, "__iter__"):
        kind = type(answer).__name__
        hint = "end it with: yield key, value"
        if kind == "coroutine":
            hint = "it is an async function: leave the word async out"
        raise Misuse("%s gave a %s (%.60r) instead of pairs" % (name, kind, answer), hint)
    for pair in answer:
        if type(pair) is not tuple and type(pair) is not list or len(pair) != 2:
            raise Misuse("%s gave %.60r where a pair should be" % (name, pair), "yield key, value")
        emit(pair[0], pair[1])


def map_server(task, function):
    context, formats = task.context, task.formats
    short = arity(function) == 3  # map(key, value, context) is given the parsed record

    def for_file(path, dims, keyed, long_numbers):
        split, value_of = formats.split(keyed), formats.reader(long_numbers)
        key_of = formats.key if keyed else read_nothing

        def one(data, packed):
            key, value = split(data)
            if short:
                asked[0] = True
                function(key_of(key), value_of(value) if packed is None else unpack(packed), context)
            else:
                function(key_of(key), list(dims), text_of(value), context)

        return one

    return for_file


def map_analysis(task, function):
    emit, formats = task.output.emit, task.formats

    def for_file(path, dims, keyed, long_numbers):
        split, value_of = formats.split(keyed), formats.reader(long_numbers)
        key_of = formats.key if keyed else read_nothing
        path = path if formats.is_pairs else "s3/" + path

        def one(data, packed):
            key, value = split(data)
            asked[0] = True
            for line in lines_of(function(key_of(key), path, value_of(value) if packed is None else unpack(packed)), task.name):
                word, space, _ = line.partition(" ")
                if not space:
                    raise Misuse("%s gave the line %.60r, which has no value after its key" % (task.name, line), "return lines such as: key value")
                emit(word, line)

        return one

    return for_file


def lines_of(answer, name):
    """The lines of a text that a function returned, without empty ones."""
    if answer is None:
        return ()
    if not isinstance(answer, str):
        raise Misuse("%s returned a %s (%.60r) instead of text" % (name, type(answer).__name__, answer), "return text lines such as: key value")
    return [line for line in answer.split("\n") if line]


# ---- values of a key


def reduce_taf(task, function):
    output = task.output

    def one(key, values):
        answer = function(parse_key(key), values)
        if hasattr(answer, "__next__"):
            emit_all(output.emit, answer, task.name)
        elif answer is None:
            task.counted.append(("taf.no_value", 1))
        else:
            output.emit_at(text_of(key), answer)

    return one


def combine_taf(task, function):
    def one(key, values):
        answer = function(parse_key(key), values)
        if answer is None or hasattr(answer, "__next__") or hasattr(answer, "cr_await"):
            given = "nothing" if answer is None else "a " + type(answer).__name__
            raise Misuse("%s gave %s instead of one value" % (task.name, given), "return the value that stands for the values")
        task.output.emit_at(text_of(key), answer)

    return one


class PairContext(Context):
    """The context of telemetry-server's reduce: pairs, or lines when the code writes lines anywhere."""

    key = "null"  # that the function is at, as JSON

    def write(self, key, value):
        self._task.output.emit(key, value)

    def writeline(self, line):
        raise Misuse("context.writeline is called by a name that was not found in the code", "call it as context.writeline(…)")

    def writecsv(self, values):
        raise Misuse("context.writecsv is called by a name that was not found in the code", "call it as context.writecsv(…)")


class LineContext(PairContext):
    def write(self, key, value):
        line = str(key) + self.field_separator + str(value) + self.record_separator
        self._task.output.emit(key, line[:-1])

    def writeline(self, line):
        if not isinstance(line, str):
            raise Misuse("context.writeline takes text, not a %s" % type(line).__name__, "context.writeline(str(x))")
        self._task.output.emit_at(self.key, (line + self.record_separator)[:-1])

    def writecsv(self, values):
        text = io.StringIO()
        csv.writer(text, lineterminator=self.record_separator).writerow(values)
        self._task.output.emit_at(self.key, text.getvalue()[:-1])


class CombineContext(PairContext):
    def write(self, key, value):
        written = encode(key)
        if written != self.key and written != encode(parse_key(self.key.encode("utf-8", "surrogateescape"))):
            raise Misuse("combine wrote the key %.60r, but its key is %.60s" % (key, self.key), "combine may only write the key that it was given")
        self._task.output.emit_at(self.key, value)


def writes_lines(folder):
    """Whether the code writes lines, or text with separators of its own: then all that reduce writes are lines."""
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                with open(os.path.join(path, name), "rb") as f:
                    if re.search(rb"\.(writeline|writecsv)\b|\b(field|record)_separator\b", f.read()):
                        return True
    return False


def reduce_server(task, function):
    context = task.context

    def one(key, values):
        context.key = text_of(key)
        function(parse_key(key), list(values), context)

    return one


def reduce_analysis(task, function):
    emit = task.output.emit

    def one(key, values):
        words = []
        for value in values:
            if task.form != "lines":
                words.append(value if isinstance(value, str) else encode(value))
                continue
            parts = value.split(" ", 2)
            if len(parts) == 1:
                raise Misuse("the line %.60r has no value after its key" % value)
            if len(parts) == 3:
                task.counted.append(("taf.extra_tokens", 1))
            words.append(parts[1])
        answer = function(parse_key(key), words)
        if answer is None:
            task.counted.append(("taf.no_value", 1))
        for line in lines_of(answer, task.name):
            emit(line.partition(" ")[0], line)

    return one


# ---- finding the function


def arity(function):
    """How many positional parameters a function declares; None when that cannot be known."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        return None
    return code.co_argcount - (1 if hasattr(function, "__self__") else 0)


def takes(function, n):
    """Whether a function can be called with n arguments."""
    declared = arity(function)
    if declared is None:
        return True
    raw = getattr(function, "__func__", function)
    needed = declared - len(raw.__defaults__ or ())
    return needed <= n and (n <= declared or bool(raw.__code__.co_flags & 4))


class Contract:
    """How the functions of a contract are called in a role."""

    def __init__(self, function, parameters, adapter, counts):
        self.function, self.parameters, self.adapter, self.counts = function, parameters, adapter, counts


CONTRACTS = {
    ("taf", "map"): Contract("map", "record", map_taf, (1,)),
    ("taf", "combine"): Contract("combine", "key, values", combine_taf, (2,)),
    ("taf", "reduce"): Contract("reduce", "key, values", reduce_taf, (2,)),
    ("telemetry-server", "map"): Contract("map", "key, dims, value, context", map_server, (4, 3)),
    ("telemetry-server", "combine"): Contract("combine", "key, values, context", reduce_server, (3,)),
    ("telemetry-server", "reduce"): Contract("reduce", "key, values, context", reduce_server, (3,)),
    ("telemetry-analysis", "map"): Contract("mapper", "uuid, file, json", map_analysis, (3,)),
    ("telemetry-analysis", "combine"): Contract("combine", "key, values", reduce_analysis, (2,)),
    ("telemetry-analysis", "reduce"): Contract("reduce", "key, values", reduce_analysis, (2,)),
}


def detect(module, role, name, form):
    """The contract that the code follows, by the names and parameters of its functions."""
    if role == "map":
        function = getattr(module, name or "map", None)
        if function is None and callable(getattr(module, "mapper", None)):
            return "telemetry-analysis"
        return "telemetry-server" if callable(function) and arity(function) in (3, 4) else "taf"
    function = getattr(module, name or role, None)
    if callable(function) and arity(function) == 3:
        return "telemetry-server"
    return "telemetry-analysis" if form == "lines" or callable(getattr(module, "mapper", None)) else "taf"

