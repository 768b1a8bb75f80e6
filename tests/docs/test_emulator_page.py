"""The Python on docs/emulator.md runs, against an emulator of its own."""

from __future__ import annotations

from tests.docs.documents import blocks


def test_the_page_runs() -> None:
    """All its blocks, one after the other."""
    names: dict[str, object] = {}
    page = [block for block in blocks("python") if block.path.name == "emulator.md"]
    assert page

    for block in page:
        exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own document
