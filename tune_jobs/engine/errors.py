"""Define the errors that the command line turns into an exit status."""


class RequestError(ValueError):
    """The request was wrong: exit status 2. Nothing expensive has been started."""


class RunError(RuntimeError):
    """The run failed: exit status 1. Its record can be read, and the run be resumed."""


def no_room(storage: str, reason: str, *, is_other_disk: bool) -> RunError:
    """Build the error that ends a run whose storage is full or out of reach.

    Args:
        storage: The text of `--storage`.
        reason: What has failed; where it is another disk, also what to do.
    """
    blamed = f"--storage = {storage!r}: {reason}: mend it (make room, say)"
    return RunError(
        f"{reason if is_other_disk else blamed}, then resume; what has been recorded is whole"
    )
