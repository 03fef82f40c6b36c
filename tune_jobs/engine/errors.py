"""Define the errors that the command line turns into an exit status."""


class RequestError(ValueError):
    """The request was wrong: exit status 2. Nothing expensive has been started."""


class RunError(RuntimeError):
    """The run failed: exit status 1. Its record can be read, and the run be resumed."""
