"""What goes wrong in user code, and how it is told."""

import os
import sys
import traceback

_HELPER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LONGEST = 16000


class Misuse(Exception):
    """User code gave what the contract does not allow."""

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.hint = hint


class ParseError(ValueError):
    """A record does not parse."""


class Describer:
    """Tells of exceptions, with paths relative to the folder of the code."""

    def __init__(self, folder):
        self._folder = folder + os.sep
        roots = (os.path.abspath(p) + os.sep for p in sys.path if p)
        self._roots = sorted(roots, key=len, reverse=True)

    def relative(self, path):
        """The path as the user knows it, and whether it is a file of the user's."""
        if path.startswith(self._folder):
            return path[len(self._folder):], True
        for root in self._roots:
            if path.startswith(root):
                return path[len(root):], False
        return path, False

    def failure(self, error):
        """What a frame says of an exception."""
        kind = type(error).__name__
        try:
            message = str(error)
        except Exception as inner:  # an exception may not know its own text
            message = "(no text: %s)" % type(inner).__name__
        hint = getattr(error, "hint", "") if isinstance(error, Misuse) else ""
        place = self._innermost(error)
        if isinstance(error, (Misuse, ParseError)):
            kind = ""
        elif isinstance(error, SyntaxError) and error.filename:
            path = self.relative(error.filename)[0]
            message = "%s (%s, line %s)" % (error.msg, path, error.lineno)
            place = "%s:%s" % (path, error.lineno)
        elif isinstance(error, ModuleNotFoundError):
            hint = "it is not installed here and not among the files of the analysis: add its file to code, or use an image that has it"
        elif isinstance(error, SystemExit):
            hint = "the code called sys.exit: raise an error, or return instead"
        # Where none of the user's code is on the stack, such as for what was yielded, it tells nothing.
        stack = self._stack(error) if place or not isinstance(error, Misuse) else ""
        return {
            "type": kind, "message": _text(message)[:2000], "place": place, "stack": _text(stack), "hint": hint,
        }

    def _innermost(self, error):
        found = ""
        tb = error.__traceback__
        while tb:
            path, own = self.relative(tb.tb_frame.f_code.co_filename)
            if own:
                found = "%s:%d" % (path, tb.tb_lineno)
            tb = tb.tb_next
        return found

    def _stack(self, error):
        try:
            told = traceback.TracebackException(type(error), error, error.__traceback__, limit=-100)
        except Exception as inner:
            return "(no stack: %s)" % type(inner).__name__
        self._strip(told, set())
        return "".join(told.format())[-_LONGEST:].rstrip("\n")

    def _strip(self, told, seen):
        if told is None or id(told) in seen:
            return
        seen.add(id(told))
        frames = [f for f in told.stack if not f.filename.startswith(_HELPER) and not f.filename.startswith("<frozen")]
        frames = frames or list(told.stack)[-1:]
        told.stack = traceback.StackSummary.from_list([
            traceback.FrameSummary(self.relative(f.filename)[0], f.lineno, f.name, lookup_line=False, line=f.line) for f in frames
        ])
        if getattr(told, "filename", None):  # of a syntax error
            told.filename = self.relative(told.filename)[0]
        self._strip(told.__cause__, seen)
        self._strip(told.__context__, seen)


def _text(s):
    return s.encode("utf-8", "backslashreplace").decode()
