"""`logs`: what the function decided, one line each."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pg_privatelink.cli.decisions import parse_line, parse_since, told
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from tests.cli.conftest import Site

NOW = dt.datetime(2026, 1, 31, 14, 0, tzinfo=dt.UTC)
CHANGED = {"level": "INFO", "message": "changed", "listener": "main", "hostname": "h"}


class TestSince:
    @pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800), ("0s", 0)])
    def test_a_duration(self, text: str, seconds: int) -> None:
        """Back from now."""
        assert parse_since(text, now=NOW) == NOW - dt.timedelta(seconds=seconds)

    @pytest.mark.parametrize("text", ["2026-01-31T13:00", "2026-01-31T13:00Z", "2026-01-31T14:00+01:00"])
    def test_a_time(self, text: str) -> None:
        """Without a zone it is UTC, as what is printed."""
        assert parse_since(text, now=NOW) == NOW - dt.timedelta(hours=1)

    @pytest.mark.parametrize("text", ["", "yesterday", "1w", "-1h", "1 h", "999999999999d"])
    def test_neither(self, text: str) -> None:
        """The message has the forms."""
        with pytest.raises(Problem) as caught:
            parse_since(text, now=NOW)

        assert caught.value.remedy == "give one like 90s, 15m, 1h, 2d or 2026-01-31T14:00Z"


class TestTold:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            (
                {**CHANGED, "registered": ["10.0.0.5:5432"], "cause": "DNS names it", "seconds": 1.26},
                ("main", "registered 10.0.0.5:5432, 1.3 s after DNS named it", "DNS names it"),
            ),
            (
                {**CHANGED, "deregistered": ["10.0.0.5:1", "10.0.0.6:1"], "cause": "gone"},
                ("main", "deregistered 10.0.0.5:1 and 10.0.0.6:1", "gone"),
            ),
            (
                {**CHANGED, "followed": "h:5432"},
                ("main", "recorded that it holds the addresses of h:5432", ""),
            ),
            (
                {**CHANGED, "message": "would change", "registered": ["10.0.0.5:1"], "cause": "c"},
                ("main", "would have registered 10.0.0.5:1", "c"),
            ),
            (
                {"level": "ERROR", "message": "listener failed", "listener": "main", "cause": "SERVFAIL"},
                ("main", "listener failed", "SERVFAIL"),
            ),
            (
                {"level": "INFO", "message": "answering CloudFormation", "request": "Create", "resource": "Start1",
                 "failed": True, "reason": "no address"},
                ("", "answered CloudFormation: Create of Start1 failed", "no address"),
            ),
            (
                {"level": "ERROR", "errorType": "SyncError", "errorMessage": "1 of 1 failed", "stackTrace": []},
                ("", "SyncError", "1 of 1 failed"),
            ),
        ],
    )  # fmt: skip
    def test_in_words(self, fields: dict[str, object], words: tuple[str, str, str]) -> None:
        """Which listener, what, and why."""
        assert told(parse_line(json.dumps(fields), at=NOW)) == words

    def test_the_functions_clock_counts(self) -> None:
        """Lines reach CloudWatch Logs together, some time later."""
        line = parse_line('{"timestamp": "2026-01-31T13:59:58.500Z", "message": "changed"}', at=NOW)

        assert line.at == NOW - dt.timedelta(seconds=1.5)

    @pytest.mark.parametrize(
        ("text", "routine", "error"),
        [
            ('{"level": "INFO", "message": "watched", "listeners": 1}', True, False),
            ("START RequestId: 1 Version: $LATEST", True, False),
            ('{"time": "t", "type": "platform.report", "record": {"status": "success"}}', True, False),
            ('{"time": "t", "type": "platform.report", "record": {"status": "timeout"}}', False, True),
            ("2026-01-31T13:59:58Z 1 Task timed out after 360.00 seconds", False, True),
            ('{"level": "ERROR", "message": "listener failed"}', False, True),
            ('{"level": "INFO", "message": "answering CloudFormation", "failed": true}', False, True),
            ('{"level": "INFO", "message": "changed"}', False, False),
            ("[1, 2]", False, False),
            ("", False, False),
        ],
    )
    def test_what_counts(self, text: str, *, routine: bool, error: bool) -> None:
        """A minute without a change is routine; what failed is not, in whatever form Lambda tells it."""
        line = parse_line(text, at=NOW)

        assert (line.is_routine, line.is_error) == (routine, error)


def test_decisions_of_the_deployment(site: Site) -> None:
    """The first registration is told with its cause; routine lines are not."""
    done = site.run("logs", "--since", "1d")

    lines = done.out.splitlines()
    assert done.code == 0
    assert sum(f"main: registered 127.0.0.10:{site.world.port}, " in line for line in lines) == 1
    assert all("(the target group was empty)" in line for line in lines if "registered 127.0.0.10" in line)
    assert not [line for line in lines if "watched" in line or "START" in line]


def test_routine_lines_on_demand(site: Site) -> None:
    """Each invocation's summary."""
    assert "watched 1 listeners, " in site.run("logs", "--since", "1d", "--all").out


def test_raw_lines(site: Site) -> None:
    """As JSON the lines are those of the log, one document each: for jq."""
    done = site.run("logs", "--since", "1d", "--json")

    documents = [json.loads(line) for line in done.out.splitlines()]
    assert {"changed", "answering CloudFormation"} <= {each["message"] for each in documents}
    assert "watched" not in {each["message"] for each in documents}


def test_nothing_happened(site: Site) -> None:
    """Silence is said, with where to look further."""
    done = site.run("logs", "--since", "0s")

    assert done.code == 0
    assert done.out.startswith("No decision since 20")
    assert done.out.endswith("nothing changed. Earlier ones: --since 7d\n")


def test_following_ends_with_ctrl_c(site: Site) -> None:
    """It prints what is there, waits for more, and ends without an error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pg_privatelink.cli", "logs", "--since", "1d", "--follow"],
        env=site.environment | {"COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = [process.stdout.readline()]
    while "recorded that it holds" not in printed[-1]:
        assert process.poll() is None
        printed.append(process.stdout.readline())

    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate()

    assert any("answered CloudFormation: Create of ServiceTargetSyncStart" in line for line in printed)
    assert (process.returncode, error) == (0, "")
