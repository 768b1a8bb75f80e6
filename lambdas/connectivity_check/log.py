"""Log lines: one JSON object each."""

from __future__ import annotations

import json
import sys
import time


def emit(level: str, message: str, **fields: object) -> None:
    """Writes one line to standard output.

    Lines are written here rather than through `logging`: the text is then the same in AWS, on an emulator and in a
    test, and Lambda's JSON log format leaves a line alone that is JSON already, filtering it by its `level` as long as
    it has a `timestamp` too (AWS Lambda Developer Guide, "Log and monitor Python Lambda functions").

    Args:
        level: INFO, WARN or ERROR.
        message: What happened, the same words every time, to search for.
        fields: The particulars. Sets are written in order, anything JSON does not know as its text.
    """
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
    line = {"timestamp": stamp, "level": level, "message": message, **fields}
    # One write per line: the lines of several threads must not mix.
    sys.stdout.write(json.dumps(line, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
