"""What user functions are given, and how what they give back is written."""

import json
import marshal
from collections.abc import Mapping

from taf_errors import Misuse, ParseError

_quote = json.encoder.encode_basestring
KEEP = 100000  # values of a key that can be gone through again,
KEEP_BYTES = 32 << 20  # as long as their text is no longer than this
asked = [False]  # whether the value of a record was asked for since the last block was done
unpack = marshal.loads
_MANY = "more than %d, or than %d MiB" % (KEEP, KEEP_BYTES >> 20)


def text_of(data):
    """Bytes as text; a byte that is not UTF-8 becomes a lone surrogate, and the byte again when it is written."""
    return data.decode("utf-8", "surrogateescape")


def parse(data):
    """The JSON of a record."""
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ParseError("the record is not UTF-8: %s at byte %d" % (error.reason, error.start + 1)) from None
    except (ValueError, RecursionError) as error:
        raise ParseError("the record is not JSON: %s" % error) from None


def quick_parser():
    """A parser that gives what parse gives, as long as no number in the text has 19 digits or more: by orjson, when that can be imported."""
    try:
        from orjson import loads
    except ImportError:
        return parse

    def quick(data):
        try:
            return loads(data)
        except ValueError:  # it takes neither NaN nor numbers beyond floats nor half of a surrogate pair, and explains less
            return parse(data)

    return quick


_scan = json.JSONDecoder().scan_once  # of a text that is known to be one JSON value it is all that loads does


def parse_key(data):
    """A key as Python has it; lists become tuples, so that keys can be members of sets and keys of dicts."""
    return _hashable(_scan(text_of(data), 0)[0])


def _hashable(value):
    if isinstance(value, list):
        return tuple(_hashable(v) for v in value)
    return value


# ---- writing


def _refuse(value):
    name = type(value).__name__
    if isinstance(value, (set, frozenset)):
        hint = "make it a list: sorted(x)"
    elif isinstance(value, (bytes, bytearray)):
        hint = "make it text: x.decode()"
    elif hasattr(value, "isoformat"):
        hint = "make it text: x.isoformat()"
    elif hasattr(value, "item") or name == "Decimal":
        hint = "make it a number: int(x) or float(x)"
    elif hasattr(value, "__iter__"):
        hint = "make it a list: list(x)"
    else:
        hint = "give text, a number, True, False, None, or lists and dicts of these"
    raise Misuse("a %s cannot be written as JSON" % name, hint)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse).encode


def encode(value):
    """A value as compact JSON."""
    try:
        return _encode(value)
    except TypeError as error:
        raise Misuse("a key or value cannot be written as JSON: %s" % error, "the keys of a dict must be text: str(key)") from None
    except ValueError as error:
        hint = ""
        if "JSON compliant" in str(error):
            hint = "JSON has no nan and no infinity: leave the pair out, or give None"
        raise Misuse("a key or value cannot be written as JSON: %s" % error, hint) from None
    except RecursionError:
        raise Misuse("a key or value is nested too deep to be written as JSON") from None


class Output:
    """Pairs that were emitted and not sent yet. early is called when they are many before their record or key is done."""

    def __init__(self, longest, limit, early):
        self.lines = []
        self.size = 0
        self._longest, self._limit, self._early = longest, limit, early

    def emit(self, key, value):
        kind = type(key)
        self.emit_at(_quote(key) if kind is str else repr(key) if kind is int else encode(key), value)

    def emit_at(self, key, value):
        """Emit a pair whose key is JSON already."""
        kind = type(value)
        line = key + "\t" + (_quote(value) if kind is str else repr(value) if kind is int else encode(value)) + "\n"
        size = len(line)
        if size > self._longest:
            raise Misuse("a pair of %d characters is longer than the limit of %d" % (size, self._longest))
        self.size += size
        self.lines.append(line)
        if self.size > self._limit:
            self._early()

    def take(self):
        """All pairs as bytes. Half of a surrogate pair is written as the escape that JSON has for it."""
        data = "".join(self.lines).encode("utf-8", "backslashreplace")
        del self.lines[:]
        self.size = 0
        return data


# ---- records


class Dims(dict):
    """The dimensions of a file by name, and by position."""

    def __init__(self, names, values):
        super().__init__(zip(names, values))
        self._values = list(values)

    def __missing__(self, name):
        if isinstance(name, (int, slice)):
            return self._values[name]
        raise KeyError(name)


class Fields(Mapping):
    """The fields of a record by path; a missing one is None."""

    _paths = {}

    def __init__(self, value, names):
        self._value, self._names = value, names

    def __getitem__(self, path):
        if self._names and path not in self._names:
            raise KeyError("%s is not among the fields of the stage: %s" % (path, ", ".join(self._names)))
        steps = self._paths.get(path)
        if steps is None:
            steps = self._paths[path] = _steps(path)
        value = self._value
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def get(self, path, default=None):
        value = self[path]
        return default if value is None else value

    def __contains__(self, path):
        return self[path] is not None

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)


def _steps(path):
    steps = []
    for part in path.split("."):
        name, _, indexes = part.partition("[")
        steps.append(name)
        if indexes:
            steps.extend(int(i) for i in indexes.rstrip("]").split("]["))
    return steps


class Record:
    """A record. What costs something is made when it is first asked for."""

    __slots__ = ("bytes", "_key", "_packed", "key", "raw", "value", "fields")
    file = dims = context = None
    _read = _read_key = _names = None  # of the file: how to get the value and the key

    def __getattr__(self, name):
        if name == "value":
            asked[0] = True
            packed = self._packed
            made = self._read(self.bytes) if packed is None else unpack(packed)
        elif name == "raw":
            made = text_of(self.bytes)
        elif name == "key":
            made = self._read_key(self._key)
        elif name == "fields":
            made = Fields(self.value, self._names)
        else:
            raise AttributeError("a record has no %r, but key, file, dims, raw, bytes, value, fields and context" % name)
        setattr(self, name, made)
        return made


# ---- the values of a key


class Values:
    """The values of a key. They can be gone through any number of times while they are few, else once."""

    # Of a key whose values come in one piece.
    _pieces = None  # lists of values, when they come in more than one
    _more = _dropped = False

    def __init__(self, data, last, chunks):
        self._kept = self._parsed(data)
        if not last:
            self._more = True
            self._chunks = chunks
            self._count = len(self._kept)
            self._size = len(data)
            self._pieces = [self._kept]

    @staticmethod
    def _parsed(data):
        text = "[" + text_of(data) + "]"
        try:
            values, end = _scan(text, 0)
            if end == len(text):
                return values
        except StopIteration:
            pass
        return json.loads(text)  # it says what is wrong

    def __iter__(self):
        if self._pieces is None:
            return iter(self._kept)
        return self._stream()

    def _stream(self):
        at = 0
        while True:
            if self._dropped:
                raise Misuse(
                    "the values of this key were gone through already, and are too many to be kept (%s)" % _MANY,
                    "go through them once, or put in a list what is needed again: values = list(values)")
            if at < len(self._pieces):
                yield from self._pieces[at]
                at += 1
                continue
            if not self._more:
                return
            piece = self._pull()
            if self._dropped:  # this pass is the one that goes on
                yield from piece
                while self._more:
                    yield from self._pull()
                return

    def _pull(self):
        _, last, _, data = next(self._chunks)
        piece = self._parsed(data)
        self._more = not last
        self._count += len(piece)
        self._size += len(data)
        if self._count > KEEP or self._size > KEEP_BYTES:
            self._dropped = True
            self._pieces = []
        elif not self._dropped:
            self._pieces.append(piece)
        return piece

    def __len__(self):
        while self._more and not self._dropped:
            self._pull()
        if self._dropped:
            raise Misuse(
                "the values of this key are too many to be kept (%s), so that their number is not known before their end" % _MANY,
                "count them while going through them")
        return len(self._kept) if self._pieces is None else self._count

    def __bool__(self):
        return True  # a key has at least one

    def __getitem__(self, index):
        if len(self) > len(self._kept):
            self._kept = [v for piece in self._pieces for v in piece]
        return self._kept[index]

    def skip(self):
        """Pass over what nobody asked for."""
        while self._more:
            self._more = not next(self._chunks)[1]
