"""Random crash points over record, capture, store, delete and sweep; then `check --repair`, and all promises hold.

`LOOKBACK_CRASH_POINTS=1000` runs as many as are wanted, a quarter of a second each, `LOOKBACK_CRASH_SEED` the same ones
again, as far as the clock lets them be the same; `LOOKBACK_CRASH_FIRST` begins with the one of that number.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.installation import ROOT

from lookback.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

POINTS = int(os.environ.get("LOOKBACK_CRASH_POINTS", "80"))
_ENOUGH = 20  # to expect kills and errors among them, and something to mend


@pytest.mark.timeout(120 + 2 * POINTS)
def test_whatever_is_cut_off_anywhere_no_saved_clip_is_lost(tmp_path: Path) -> None:
    seed = os.environ.get("LOOKBACK_CRASH_SEED", str(secrets.randbelow(10**9)))
    first = os.environ.get("LOOKBACK_CRASH_FIRST", "0")
    ours = {name.upper() for name in type(load_settings()).model_fields}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_machine", str(tmp_path / "lives"), seed, str(POINTS), first],
        env={name: value for name, value in os.environ.items() if name not in ours}
        | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["broken"] == [], f"LOOKBACK_CRASH_SEED={seed}\n{json.dumps(said['broken'], indent=1)}"
    assert said["points"] == POINTS
    if POINTS >= _ENOUGH:
        assert any(struck.startswith("kill ") for struck in said["hit"])
        assert any(struck.startswith("fail ") for struck in said["hit"])
        assert said["mended"], "nothing was ever left behind: the points hit nothing"
