from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.clip_studio import Studio, a_studio

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return a_studio(tmp_path / "buffer", tmp_path / "storage")
