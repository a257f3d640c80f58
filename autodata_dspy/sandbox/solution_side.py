"""The side that holds the solution: loads its code and does what the tests ask of it.

Runs inside a sandbox (its text is sent there). Whatever the code does to this process, the tests see replies only.
"""

import builtins
import inspect
import io
import operator
import sys
import types

from autodata_dspy.sandbox.wire import Gone, Peer, decode, encode, limit, private_streams

BASES = (int, float, str, list, tuple, dict, set, frozenset)
# Operators that Python itself looks up with fall-backs of its own.
BY_PYTHON: dict = {
    "__str__": str,
    "__repr__": repr,
    "__bool__": bool,
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__int__": int,
    "__float__": float,
    "__round__": round,
    "__contains__": operator.contains,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
}


class SolutionSide(Peer):
    """Serves load, call, get, set and operator requests on the solution's objects."""

    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.namespace = {"__name__": "solution", "__builtins__": builtins}
        self.objects = []

    # -- values -----------------------------------------------------------------------------------------------

    def keep(self, value):
        """A reference to an object that stays here, with the plain value it is a subclass of, if any."""
        number = next((i for i, known in enumerate(self.objects) if known is value), None)
        if number is None:
            number = len(self.objects)
            self.objects.append(value)
        plain = None
        for base in BASES:
            if isinstance(value, base):
                plain = encode(self.as_base(value, base), lambda inner: {"opaque": type(inner).__name__})
                break
        return {"object": {"number": number, "class": type(value).__name__, "plain": plain}}

    @staticmethod
    def as_base(value, base):
        """What the built-in base class holds, whatever the subclass says about itself."""
        if base in (int, float):
            return base.__add__(value, base(0))  # type: ignore[arg-type]
        if base is str:
            return "".join(str.__getitem__(value, i) for i in range(str.__len__(value)))
        return base(dict.items(value) if base is dict else base.__iter__(value))

    def revive(self, tag, content):
        if tag == "object":
            return self.objects[content["number"]]
        if tag == "iterator":
            return iter(decode(content, self.revive))
        if tag == "callable":
            return lambda *args, **kwargs: self.call_back(content, args, kwargs)
        raise TypeError("cannot take over a " + tag)

    def call_back(self, number, args, kwargs):
        message = {"callback": number, "args": encode(list(args), self.keep), "kwargs": encode(kwargs, self.keep)}
        reply = self.request(message)
        if "raised" in reply:
            names = reply["raised"]["bases"]
            raise getattr(builtins, names[0] if names else "Exception")(reply["raised"]["message"])
        return decode(reply["value"], self.revive)

    # -- requests ---------------------------------------------------------------------------------------------

    def serve(self, message):
        return getattr(self, "do_" + message["do"])(message)

    def do_load(self, message):
        sys.modules["solution"] = module = types.ModuleType("solution")
        module.__dict__.update(self.namespace)
        self.namespace = module.__dict__
        exec(compile(message["source"], "solution.py", "exec"), self.namespace)  # noqa: S102 — in the sandbox
        names = {}
        for name, value in list(self.namespace.items()):
            if name.startswith("__"):
                continue
            if isinstance(value, types.ModuleType):
                names[name] = {"module": value.__name__}
            elif isinstance(value, type) and issubclass(value, BaseException):
                names[name] = {"exception": [c.__name__ for c in value.__mro__]}
            else:
                names[name] = {"value": encode(value, self.keep), "class": isinstance(value, type)}
        return {"names": names}

    def do_call(self, message):
        args = decode(message["args"], self.revive)
        kwargs = decode(message["kwargs"], self.revive)
        before = [encode(a, self.keep) for a in args]
        sys.stdout = printed = io.StringIO()
        try:
            result = decode(message["target"], self.revive)(*args, **kwargs)
            awaited = inspect.iscoroutine(result)
            if awaited:
                import asyncio

                result = asyncio.run(result)
        finally:
            sys.stdout = io.StringIO()
        reply = {"value": encode(result, self.keep), "awaited": awaited, "printed": printed.getvalue()[:100_000]}
        after = [encode(a, self.keep) for a in args]
        reply["changed"] = [[i, new] for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new]
        reply["same_as"] = next(
            (i for i, a in enumerate(args) if a is result and isinstance(a, (list, dict, set))), None
        )
        return reply

    def do_get(self, message):
        return {"value": encode(getattr(decode(message["target"], self.revive), message["name"]), self.keep)}

    def do_set(self, message):
        target = decode(message["target"], self.revive)
        setattr(target, message["name"], decode(message["value"], self.revive))
        return {"value": None}

    def do_operator(self, message):
        target, args = decode(message["target"], self.revive), decode(message["args"], self.revive)
        name = message["name"]
        if name == "isinstance":
            return {"value": isinstance(args[0], target)}
        if name in BY_PYTHON:
            return {"value": encode(BY_PYTHON[name](target, *args), self.keep)}
        method = getattr(type(target), name, None)
        result = NotImplemented if method is None else method(target, *args)
        return {"unknown": True} if result is NotImplemented else {"value": encode(result, self.keep)}


def main(limits):  # pragma: no cover — runs in the sandbox
    limit(limits)
    side = SolutionSide(*private_streams())
    try:
        side.send({"reply": {"ready": True}})
        while True:
            side.answer(side.receive())
    except Gone:
        pass
