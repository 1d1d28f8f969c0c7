"""What the processes are told by their environment: variables, and files under /run/secrets."""

import os
from pathlib import Path

SECRETS = Path("/run/secrets")


def setting(name: str, default: str) -> str:
    """A variable; the default when it is not set or empty."""
    return os.environ.get(name) or default


def secret(name: str) -> str:
    """The content of a secret. Ends the process with a message when it is not there."""
    try:
        return (SECRETS / name).read_text().strip()
    except OSError as error:
        raise SystemExit(f"the secret {name} cannot be read: {error.strerror}") from error
