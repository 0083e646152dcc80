"""What calls raise and warn of."""

from __future__ import annotations


class Error(Exception):
    """What every error of this package is."""


class InputError(Error, ValueError):
    """An argument that cannot be; the message says what is wrong and what to do, as the command line does."""


class RunError(Error, RuntimeError):
    """A call that failed for another reason than its arguments, such as too little memory."""


class ServerError(Error, RuntimeError):
    """The process behind this package ended in the middle of a call; the next call starts another."""


class NodeError(Error, RuntimeError):
    """There is no Node.js to run, or it is too old."""


class InputWarning(UserWarning):
    """Something about the arrays, or about how they were understood, that may surprise."""
