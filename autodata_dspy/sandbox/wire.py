"""What crosses between solution and tests: one JSON line a message, plain data in it.

Runs inside the sandboxes (its text is sent there), so it imports the standard library alone.
"""

import json
import sys

MAX_LINE = 8 * 1024 * 1024
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
# Types of the standard library that are data: module, name → the arguments that build an equal one.
DATA_TYPES = {
    ("fractions", "Fraction"): lambda v: (v.numerator, v.denominator),
    ("decimal", "Decimal"): lambda v: (str(v),),
    ("collections", "deque"): lambda v: (list(v), v.maxlen),
    ("collections", "Counter"): lambda v: (dict(v),),
    ("collections", "OrderedDict"): lambda v: (list(v.items()),),
    ("datetime", "date"): lambda v: (v.year, v.month, v.day),
    ("datetime", "timedelta"): lambda v: (v.days, v.seconds, v.microseconds),
}


class Gone(BaseException):
    """The other side's process has ended. (No ordinary exception: a test's `except` must not catch it.)"""


class Foreign(BaseException):
    """The tests do something that only works in one process with the solution; nothing is known about it."""


def encode(value, keep):
    """JSON data for a value; `keep(value)` answers for what is not plain data. Exact types only: a subclass may lie."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind.__name__ in SEQUENCES and kind is SEQUENCES[kind.__name__]:
        return {kind.__name__: [encode(v, keep) for v in value]}
    if kind is dict:
        return {"dict": [[encode(k, keep), encode(v, keep)] for k, v in value.items()]}
    if kind in (bytes, bytearray):
        return {kind.__name__: value.hex()}
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if kind is range:
        return {"range": [value.start, value.stop, value.step]}
    for (module, name), arguments in DATA_TYPES.items():
        if module in sys.modules and kind is getattr(sys.modules[module], name):
            return {"new": [module, name, encode(list(arguments(value)), keep)]}
    return keep(value)


def decode(data, revive):
    """The value that was encoded; `revive(tag, content)` answers for what was kept."""
    if not isinstance(data, dict):
        return data
    ((tag, content),) = data.items()
    if tag in SEQUENCES:
        return SEQUENCES[tag](decode(v, revive) for v in content)
    if tag == "dict":
        return {decode(k, revive): decode(v, revive) for k, v in content}
    if tag in ("bytes", "bytearray"):
        return {"bytes": bytes, "bytearray": bytearray}[tag].fromhex(content)
    if tag == "complex":
        return complex(*content)
    if tag == "range":
        return range(*content)
    if tag == "new":
        module, name, arguments = content
        if (module, name) not in DATA_TYPES:
            raise ValueError("not a data type: " + name)
        __import__(module)
        return getattr(sys.modules[module], name)(*decode(arguments, revive))
    return revive(tag, content)


class Peer:
    """One side of the conversation. While it waits for a reply it serves what the other side asks."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.over = None  # the Gone or Foreign that ended the conversation, should the tests have caught it

    def give_up(self, error):
        self.over = self.over or error
        raise error from None

    def send(self, message):
        line = json.dumps(message).encode() + b"\n"
        if len(line) > MAX_LINE:
            raise ValueError("the value is too large")
        try:
            self.writer.write(line)
            self.writer.flush()
        except OSError:
            self.give_up(Gone())

    def receive(self):
        line = self.reader.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            self.give_up(Gone())
        return json.loads(line)

    def request(self, message):
        self.send(message)
        while True:
            answer = self.receive()
            if "reply" in answer:
                return answer["reply"]
            self.answer(answer)

    def answer(self, message):
        try:
            reply = self.serve(message)
        except (Gone, Foreign):
            raise
        except BaseException as error:
            reply = self.raised(error)
        try:
            self.send({"reply": reply})
        except (ValueError, TypeError, RecursionError) as error:
            self.send({"reply": self.raised(error)})

    def raised(self, error):
        """An exception as data: its class, the built-in classes it descends from, its message and arguments."""
        import builtins

        names = [c.__name__ for c in type(error).__mro__]
        bases = [n for n in names if isinstance(getattr(builtins, n, None), type)]
        try:
            message = str(error)[:500]
        except BaseException:
            message = ""
        try:
            arguments = encode(list(error.args), self.refuse)
        except BaseException:
            arguments = {"list": [message]}
        return {"raised": {"class": names[0], "bases": bases, "message": message, "args": arguments}}

    def refuse(self, value):
        raise TypeError

    def serve(self, message):
        raise NotImplementedError


def limit(limits):  # pragma: no cover — runs in the sandbox
    """Bind this process to its limits; called before any foreign code is read."""
    import resource

    for name, value in limits.items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value + (name == "CPU")))
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)


def private_streams():  # pragma: no cover — runs in the sandbox
    """The conversation on private descriptors; standard streams lead nowhere from now on."""
    import os

    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return reader, writer
