"""Lives that end in the middle: `python -m tests.support.crash_machine FOLDER SEED POINTS [FIRST]`.

Every point is a copy of the same furnished home. A forked child lives in it at random until, at a random call to the
operating system, it is killed or gets an error; another child then checks, repairs, and looks whether all that was
promised holds. The parent does nothing else: it has no threads, so that it may fork. Prints one JSON document.
"""

from __future__ import annotations

from tests.support import crash_faults

crash_faults.install()  # before anybody takes hold of what it replaces

import asyncio  # noqa: E402
import errno  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from collections import Counter  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import structlog  # noqa: E402

from lookback.bootstrap.parts import prepare_folders  # noqa: E402
from lookback.db.engine import open_database  # noqa: E402
from lookback.settings import load_settings  # noqa: E402
from tests.support.crash_faults import Fault, arm  # noqa: E402
from tests.support.crash_invariants import repaired  # noqa: E402
from tests.support.crash_life import SHAPES, Witness, a_life, furnish  # noqa: E402
from tests.support.encoded_clip import encoded_clip  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from lookback.settings import Settings

_BEFORE = 4  # things at most that went well
_LATEST = 60  # call: a capture has some thirty, a sweep as many as it finds to delete
_AFTERWARDS = 2  # a process that got an error goes on for so long


@dataclass(slots=True)
class Tally:
    """How many points there were, what they hit, and which of them broke something."""

    points: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    broken: list[dict[str, object]] = field(default_factory=list)


class Machine:
    """One furnished home, and copies of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.base, self.home = folder / "base", folder / "home"
        self.told, self.verdict, self.struck = folder / "told", folder / "verdict", folder / "struck"
        self.settings: Settings = load_settings(lookback_home=self.home, lookback_port=1)

    def furnish(self) -> None:
        """Make the home that every life begins in."""
        for shape in SHAPES.values():
            encoded_clip(shape)  # made once, not by every child
        self.home.mkdir(parents=True)
        if _in_child(self._furnish, self.verdict):
            raise SystemExit(self.verdict.read_text())
        self.home.rename(self.base)
        self.told.rename(self.base.with_name("told-before"))

    def point(self, number: int, tally: Tally) -> None:
        """Live, be struck, repair, and note what struck, what was mended and what does not hold."""
        shutil.rmtree(self.home, ignore_errors=True)
        subprocess.run(["cp", "-a", self.base, self.home], check=True)  # hard links stay what they are
        shutil.copyfile(self.base.with_name("told-before"), self.told)
        self.verdict.write_text("")
        self.struck.write_text("")
        chance = random.Random(f"{self.seed}/{number}")
        kind = chance.choice(["kill", "kill", "fail"])
        fault = Fault(
            str(self.home),
            kind,  # type: ignore[arg-type]
            at=chance.randrange(1, _LATEST),
            lasts=chance.randrange(4) if kind == "fail" else 0,
            code=chance.choice([errno.ENOSPC, errno.EIO]),
            half=chance.random() < 0.5,
            witness=os.open(self.struck, os.O_WRONLY),
        )
        lived = _in_child(lambda: self._live(chance, fault), self.verdict)
        os.close(fault.witness)
        tally.points += 1
        tally.hit[f"{kind} {self.struck.read_text()}"] += 1
        if lived != (-signal.SIGKILL if kind == "kill" else 0):
            tally.broken.append(self._said(number, fault, f"The life ended with {lived}"))
        elif (repaired := _in_child(self._repair, self.verdict)) != 0:
            tally.broken.append(self._said(number, fault, f"The repair ended with {repaired}"))
        else:
            tally.mended.update(self.verdict.read_text().split())

    def _said(self, number: int, fault: Fault, what: str) -> dict[str, object]:
        lines = [what, *self.verdict.read_text().splitlines()]
        return {"seed": self.seed, "number": number, "fault": str(fault), "said": lines}

    async def _furnish(self) -> None:
        prepare_folders(self.settings)
        await (await open_database(self.settings.database)).dispose()
        async with a_life(self.settings, random.Random(self.seed), self._witness()) as life:
            await furnish(life)

    async def _live(self, chance: random.Random, fault: Fault) -> None:
        async with a_life(self.settings, chance, self._witness()) as life:
            for _ in range(chance.randrange(_BEFORE)):
                await life.do_something()
            arm(fault)
            while not fault.over:
                await life.do_something()
            for _ in range(_AFTERWARDS):
                await life.do_something()
            arm(None)

    async def _repair(self) -> None:
        mended, wrong = await repaired(self.settings, self.told)
        if wrong:
            raise AssertionError("\n".join(wrong))
        self.verdict.write_text(" ".join(mended))

    def _witness(self) -> Witness:
        return Witness(os.open(self.told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))


def main() -> None:
    """Do what the command line says."""
    folder, (seed, points) = Path(sys.argv[1]), map(int, sys.argv[2:4])
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    structlog.configure(processors=[_dropped])
    machine, tally, began = Machine(folder, seed), Tally(), time.monotonic()
    machine.furnish()
    for number in range(first, first + points):
        machine.point(number, tally)
    said = {name: getattr(tally, name) for name in Tally.__slots__}
    sys.stdout.write(json.dumps(said | {"seconds": round(time.monotonic() - began, 1)}, indent=1) + "\n")


def _in_child(work: Callable[[], Coroutine[None, None, None]], verdict: Path) -> int:
    """Do it in a process of its own; return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        asyncio.run(work())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on in the parent's code
        arm(None)
        verdict.write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _dropped(_logger: object, _method: str, _event: structlog.typing.EventDict) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    main()
