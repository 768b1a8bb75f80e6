"""How fast, right and cheap the target-sync function is, measured in virtual time: `make bench`.

The function's own code runs, in simulated Lambda sandboxes, against a simulated DNS and Elastic Load Balancing. What
the simulation assumes stands in `assumptions.py`, and beside the results.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The function's code is no package of the project: in AWS it is the root of the asset.
if str(ROOT / "lambdas") not in sys.path:
    sys.path.insert(0, str(ROOT / "lambdas"))
