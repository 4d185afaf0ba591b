"""Runs the map, combine and reduce functions of an analysis. Started by tafc; see docs/helper-protocol.md."""

import faulthandler
import gc
import importlib.machinery
import importlib.util
import os
import sys

import taf_contracts
import taf_wire
from taf_contracts import CONTRACTS
from taf_data import Output, Values, asked, parse
from taf_errors import Describer, Misuse, ParseError


class Task:
    """One run of the user's code in one role."""

    def __init__(self, config):
        self.role = config["role"]
        self.dir = config["dir"]
        self.entry = config["entry"]
        self.dims = config["dims"] or []
        self.fields = config["fields"] or []
        self.form = config["form"]
        self.formats = taf_contracts.Formats(config["format"])
        self.output = Output(config["max_pair"], float("inf") if config.get("calls") else 4 * taf_wire.FRAME, self._early)
        self._mark = None  # where the pairs of the record begin, None when some of them were sent
        self.counted = []
        self.describer = Describer(self.dir)
        self._config = config
        self.name = self.context = self.module = self._one = None

    def log(self, text):
        for line in text.split("\n"):
            taf_wire.send("G", line.encode("utf-8", "backslashreplace"))

    # ---- loading

    def load(self):
        """Load the module, find its function, call its setup hook, and say that all is ready."""
        if sys.version_info < (3, 7):
            raise Misuse("Python %d.%d is too old" % sys.version_info[:2], "user code in Python needs Python 3.7 or newer")
        path = os.path.join(self.dir, *self.entry.split("/"))
        sys.path[:1] = list(dict.fromkeys((os.path.dirname(path), self.dir)))
        self.describer = Describer(self.dir)
        sys.argv = [path]
        name = os.path.splitext(os.path.basename(path))[0]
        if name in sys.modules:
            name = "taf_entry"
        spec = importlib.util.spec_from_file_location(name, path, loader=importlib.machinery.SourceFileLoader(name, path))
        self.module = importlib.util.module_from_spec(spec)
        sys.modules[name] = self.module
        spec.loader.exec_module(self.module)
        contract = self._config["contract"] or taf_contracts.detect(self.module, self.role, self._config["function"], self.form)
        function, adapter = self._find(contract)
        self.context = self._context(contract)
        self._one = adapter(self, function)
        self._setup(contract)
        lines = contract == "telemetry-analysis" or isinstance(self.context, taf_contracts.LineContext)
        taf_wire.send("R", {
            "contract": contract, "form": "lines" if lines else "pairs", "finish": contract == "taf" and self._hook("finish") is not None,
            "packed": self.role == "map" and self.formats.packed,
        })
        self._contract = contract

    def _find(self, name):
        contract = CONTRACTS.get((name, self.role))
        if contract is None:
            raise Misuse("there is no contract %r for a %s" % (name, self.role), "contracts are taf, telemetry-server, telemetry-analysis and streaming")
        self.name = contract.function
        if self._config["function"] and self.role != "combine":
            self.name = self._config["function"]
        wanted = "%s(%s)" % (self.name, contract.parameters)
        function = getattr(self.module, self.name, None)
        if function is None:
            raise Misuse("%s has no function %s" % (self.entry, wanted), self._others())
        if not callable(function):
            raise Misuse("%s in %s is a %s, not a function %s" % (self.name, self.entry, type(function).__name__, wanted))
        if not any(taf_contracts.takes(function, n) for n in contract.counts):
            raise Misuse(
                "%s in %s has %s parameters, but the contract %s calls %s" % (self.name, self.entry, taf_contracts.arity(function), name, wanted),
                "change the parameters, or name another contract")
        return function, contract.adapter

    def _others(self):
        own = [n for n, f in vars(self.module).items() if callable(f) and getattr(f, "__module__", None) == self.module.__name__]
        if not own:
            return "it defines no function"
        return "it defines " + ", ".join(own)

    def _context(self, contract):
        if contract != "telemetry-server":
            return taf_contracts.Context(self)
        if self.role == "map":
            return taf_contracts.MapContext(self)
        if self.role == "combine":
            return taf_contracts.CombineContext(self)
        return (taf_contracts.LineContext if taf_contracts.writes_lines(self.dir) else taf_contracts.PairContext)(self)

    def _hook(self, name):
        function = getattr(self.module, name, None)
        return function if callable(function) else None

    def _setup(self, contract):
        if contract == "taf":
            setup = self._hook("setup")
        else:
            setup = self._hook("setup_reduce") if contract == "telemetry-server" and self.role != "map" else None
        if setup:
            setup(self.context)
        if not self.context.record_separator.endswith("\n"):
            raise Misuse("record_separator is %r, but must end with a newline: results are lines" % self.context.record_separator)

    # ---- working

    def run(self):
        if self.role == "map":
            self._map()
        else:
            self._reduce()

    def finish(self):
        """Call the finish hook, send what is left, and say that all is done."""
        finish = self._hook("finish") if self._contract == "taf" else None
        answer = finish(self.context) if finish else None
        if answer is not None and self.role == "combine":
            raise Misuse("finish gave pairs, which it cannot in a combine", "emit in finish only when context.role is map or reduce")
        if answer is not None:
            taf_contracts.emit_all(self.output.emit, answer, "finish")
        self._flush()
        self._send_counts()
        sys.stdout.flush()
        sys.stderr.flush()
        taf_wire.send("D", b"")

    def _flush(self):
        taf_wire.send_lines(self.output.take())

    def _early(self):
        """Send pairs of a record or a key that is under way. A record may still turn out to be bad, so the task is told where it began."""
        mark, lines = self._mark, self.output.lines
        if mark is not None:
            self._mark = None
            own = lines[mark:]
            del lines[mark:]
            self._flush()
            taf_wire.send("M", b"")
            lines.extend(own)
        self._flush()

    def _send_counts(self):
        if not self.counted:
            return
        sums = {}
        for name, n in self.counted:
            sums[name] = sums.get(name, 0) + n
        del self.counted[:]
        taf_wire.send("C", sorted(sums.items()))

    def _map(self):
        path, dims, before, one = "", [], None, None
        while True:
            kind, payload = taf_wire.read()
            if kind == "Z":
                return
            if kind == "F":
                described = parse(payload)
                path, dims, before = described["key"], described["dims"] or [], None
                continue
            number, keyed, long_numbers, records, values = taf_wire.block(payload)
            if (keyed, long_numbers) != before:
                one, before = self._one(path, dims, keyed, long_numbers), (keyed, long_numbers)
            self._block(number, keyed, records, values, one)

    def _block(self, number, keyed, records, values, one):
        place, output, lines, counted = taf_wire.place, self.output, self.output.lines, self.counted
        place[1] = 0
        place[0] = number
        for index, (data, packed) in enumerate(zip(records, values)):
            place[1] = index
            mark, size, counts = len(lines), output.size, len(counted)
            self._mark = mark
            try:
                one(data, packed)
            except BaseException as error:
                if self._mark is None:
                    mark, size = 0, 0
                    taf_wire.send("U", b"")
                del lines[mark:], counted[counts:]
                output.size = size
                self._bad(index, keyed, data, error)
            if output.size > taf_wire.FRAME:
                self._flush()
        self._mark = None
        place[0] = 0
        self._flush()
        self._send_counts()
        taf_wire.ack(number, asked[0])
        asked[0] = False

    def _bad(self, index, keyed, data, error):
        """Tell of a bad record. Where code that parses by itself failed on a record that does not parse, that is what is told."""
        kind = "code"
        if isinstance(error, ParseError):
            kind = "parse"
        elif isinstance(error, ValueError) and self.formats.is_json:
            try:
                self.formats.value(self.formats.split(keyed)(data)[1])
            except ParseError as wrong:
                kind, error = "parse", wrong.with_traceback(error.__traceback__)
        failure = self.describer.failure(error)
        failure.update(index=index, kind=kind)
        taf_wire.send("E", failure)

    def _reduce(self):
        place, output, one = taf_wire.place, self.output, self._one
        if self._config.get("calls"):
            output.take()  # what setup_reduce wrote belongs to no key
        chunks = taf_wire.chunks()
        number = 0
        for _, last, key, data in chunks:
            number += 1
            place[0] = number
            values = Values(data, last, chunks)
            if self._config.get("calls"):
                self._call(one, key, values)
            else:
                one(key, values)
                values.skip()
            place[0] = 0
            if output.size > taf_wire.FRAME:
                self._flush()

    def _call(self, one, key, values):
        """Answer for a key by itself: with what it emits, or with what goes wrong."""
        try:
            one(key, values)
        except BaseException as error:
            self.output.take()
            del self.counted[:]
            taf_wire.send("E", dict(self.describer.failure(error), index=0, kind="code"))
        values.skip()
        self._flush()
        self._send_counts()
        taf_wire.send("K", b"")

    def fatal(self, error, load):
        """Tell of an error that ends the program."""
        number, index = taf_wire.place[0], taf_wire.place[1]
        failure = self.describer.failure(error)
        failure.update(
            kind="code", load=load, seq=number if self.role == "map" else 0, index=index, group=number if self.role != "map" else 0)
        taf_wire.send("X", failure)


def main():
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    # Parsing makes many small objects that live no longer than their record: look for cycles less often.
    gc.set_threshold(20000, 10, 10)
    task = Task(parse(taf_wire.read()[1]))
    loading = True
    try:
        task.load()
        loading = False
        task.run()
        task.finish()
    except BaseException as error:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the user's code has closed it
                pass
        task.fatal(error, loading)
        os._exit(1)
    os._exit(0)


main()
