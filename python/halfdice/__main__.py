"""``python -m halfdice``: the command line."""

from __future__ import annotations

import os
import subprocess
import sys

from . import _runtime
from ._errors import NodeError


def main() -> int:
    """Runs the command line with this program's arguments, and ends as it does."""
    try:
        command = [_runtime.node(), _runtime.main(), *sys.argv[1:]]
    except NodeError as error:
        print(f"halfdice: {error}", file=sys.stderr)
        return 2
    if os.name == "posix":
        os.execv(command[0], command)
    # Windows has no exec: it would give the terminal back before the command has ended.
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
