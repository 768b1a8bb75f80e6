"""Refuse an unsuitable Python in one line. Runs under the oldest Python there is, hence the old-fashioned syntax."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - exactly what this file is for
    sys.exit(
        "set-up failed: Python 3.11 or newer is needed, but %s is %d.%d; name a newer one: make PYTHON=python3.12 ..."  # noqa: UP031
        % ((sys.executable,) + sys.version_info[:2])  # noqa: RUF005
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit(
        "set-up failed: %s cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"  # noqa: UP031
        % sys.executable
    )
