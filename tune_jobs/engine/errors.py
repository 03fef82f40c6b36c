"""The errors that the command line turns into an exit status."""


class RequestError(ValueError):
    """The request was wrong: exit status 2. Nothing expensive has been started."""


class RunError(RuntimeError):
    """The run failed: exit status 1. What it has recorded can be read and resumed."""
