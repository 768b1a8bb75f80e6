"""`python -m pg_privatelink.cli`: the command where it is not installed."""

from __future__ import annotations

from pg_privatelink.cli import main

if __name__ == "__main__":
    main()
