"""Methods of the families that are loaded at their first use: none until then.

`Tensor.__getattr__` finds them in `dotori.functions._lazy`; the stub beside this file
names them for type checkers.
"""


class Later:
    """Where type checkers see what is loaded later."""

    __slots__ = ()
