"""The pages that `make reference` writes."""

from __future__ import annotations

from tools.install import ROOT
from tools.reference import library, recovery, yaml_file

PAGES = {
    ROOT / "docs" / "reference" / "yaml.md": yaml_file.page,
    ROOT / "docs" / "reference" / "library.md": library.page,
    recovery.PAGE: recovery.page,
}
"""What each page holds now, by its file."""
