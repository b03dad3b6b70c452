"""Where there is no studio, there is nothing of its libraries either."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import asyncio, pathlib, sys
from lookback.bootstrap.app import App
from lookback.settings import load_settings
import lookback.cli.main

async def run():
    home, on = pathlib.Path(sys.argv[1]), "on" in sys.argv
    async with App(load_settings(lookback_home=home, lookback_rtc_port=0, lookback_studio=on)):
        pass

asyncio.run(run())
print(*sorted({"sqladmin", "wtforms", "jinja2", "lookback.studio"} & sys.modules.keys()))
"""


def loaded(*arguments: object) -> str:
    command = [sys.executable, "-c", _SCRIPT, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


def test_nothing_of_the_library_is_loaded_where_it_is_off(tmp_path: object) -> None:
    assert loaded(tmp_path, "off") == ""
    assert loaded(tmp_path, "on") == "jinja2 lookback.studio sqladmin wtforms"
