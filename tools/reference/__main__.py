"""`make reference`: writes docs/reference/ and the figures in docs/recovery.md anew."""

from __future__ import annotations

from tools.reference.pages import PAGES

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(), encoding="utf-8", newline="\n")
        print(f"wrote {path}")
