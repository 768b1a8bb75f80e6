"""Start ministack with the extension, or without it: `python emulator/aws/start.py --port N [--stock]`.

Run by the emulator's interpreter, by path. The repository's root goes on `sys.path` here and nowhere else: Lambda
workers inherit environment and working directory, and must not see the project.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path


def _settle_environment(port: int) -> None:
    """Set what ministack reads at import, and drop what workers must not inherit."""
    os.environ["GATEWAY_PORT"] = str(port)
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)
    os.environ.setdefault("BIND_HOST", "127.0.0.1")  # ministack's own default is every interface
    os.environ.setdefault("LAMBDA_EXECUTOR", "local")
    os.environ.setdefault("PERSIST_STATE", "0")
    os.environ.setdefault("IOT_MTLS_ENABLED", "0")
    os.environ.setdefault("SFTP_ENABLED", "0")


def _die_with_parent() -> None:
    """End this process and its workers once whoever started it is gone: then standard input reaches its end."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stock", action="store_true", help="plain ministack, without the extension")
    parser.add_argument("--die-with-stdin", action="store_true", help="end the process group at standard input's end")
    options = parser.parse_args()
    _settle_environment(options.port)
    if options.die_with_stdin:
        _die_with_parent()
    # The script's own folder would shadow standard modules; the root goes last so that it shadows nothing.
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).resolve().parent)]
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    sys.argv[1:] = []
    from ministack import app  # noqa: PLC0415

    if not options.stock:
        from emulator.aws.extension import install  # noqa: PLC0415

        install()
    app.main()


if __name__ == "__main__":
    main()
