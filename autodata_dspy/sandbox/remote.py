"""What the tests hold instead of an object that stays in the solution's process.

Runs inside the tests' sandbox (its text is sent there). Operators that would tell the solution what is expected (`==`,
`<`, `in`, arithmetic with a plain value) are worked out here on plain data; they are handed to a class of the solution
only when the tests name that class, with a capital letter. (A function that returns an object equal to everything
would otherwise pass every test.)
"""

from autodata_dspy.sandbox.wire import Foreign, decode


class Remote:
    """Stands for an object in the solution's process."""

    def __init__(self, side, reference):
        plain = reference.get("plain")
        fields = {"side": side, "number": reference["number"], "class": reference.get("class", "")}
        fields["plain"] = None if plain is None else decode(plain, side.revive)
        object.__setattr__(self, "_remote", fields)

    def __getattr__(self, name):
        return self._remote["side"].ask({"do": "get", "target": self, "name": name})

    def __setattr__(self, name, value):
        self._remote["side"].ask({"do": "set", "target": self, "name": name, "value": value})

    def __call__(self, *args, **kwargs):
        return self._remote["side"].call(self, args, kwargs)

    def __eq__(self, other):
        mine = self._remote
        if not isinstance(other, Remote):
            return mine["plain"] is not None and mine["plain"] == other
        if other._remote["number"] == mine["number"]:
            return True
        if mine["plain"] is not None and other._remote["plain"] is not None:
            return mine["plain"] == other._remote["plain"]
        return leaky(self, "__eq__", other) is True

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self._remote["number"] if self._remote["plain"] is None else self._remote["plain"])

    def __iter__(self):
        return harmless(self, "__iter__")

    def __contains__(self, item):
        if self._remote["plain"] is not None:
            return item in self._remote["plain"]
        if self._remote["side"].trusts(self):
            return harmless(self, "__contains__", item)
        return any(each == item for each in self)

    def __enter__(self):
        return harmless(self, "__enter__")

    def __exit__(self, *error):
        return harmless(self, "__exit__", None, None, None)

    def __instancecheck__(self, value):
        return harmless(self, "isinstance", value)

    def __mro_entries__(self, bases):
        self._remote["side"].give_up(Foreign("the tests derive a class from one of the solution's"))


def harmless(remote, name, *args):
    """An operator that tells the solution nothing about what is expected."""
    return remote._remote["side"].ask({"do": "operator", "target": remote, "name": name, "args": list(args)})


def leaky(remote, name, *args):
    """An operator whose operand may be what is expected."""
    mine = remote._remote
    if mine["plain"] is not None and hasattr(mine["plain"], name):
        return getattr(mine["plain"], name)(*args)
    return harmless(remote, name, *args) if mine["side"].trusts(remote) else NotImplemented


def define_operators():
    def operator(name, how):
        def method(self, *args):
            return how(self, name, *args)

        method.__name__ = name
        return method

    arithmetic = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
    compared = ["lt", "le", "gt", "ge", *arithmetic, *("r" + name for name in arithmetic)]
    unary = "str repr bool next len int float round getitem setitem delitem neg pos abs index".split()
    for names, how in ((compared, leaky), (unary, harmless)):
        for name in names:
            setattr(Remote, "__" + name + "__", operator("__" + name + "__", how))


define_operators()
