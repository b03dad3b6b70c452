"""Errors out of groups of tasks."""

from __future__ import annotations

import asyncio

import pytest

from lookback.errors import LookbackError, NotFoundError, SettingsError, ungrouped


def test_the_first_of_a_group_is_raised_itself() -> None:
    with pytest.raises(NotFoundError, match="first") as raised, ungrouped(LookbackError):
        raise ExceptionGroup("tasks", [NotFoundError("first"), SettingsError("second")])
    assert raised.value.__suppress_context__


def test_however_deep_it_is() -> None:
    with pytest.raises(NotFoundError), ungrouped(LookbackError):
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [NotFoundError("deep")])])


def test_a_group_with_anything_else_in_it_stays_whole() -> None:
    group = ExceptionGroup("tasks", [NotFoundError("known"), KeyError("a fault of ours")])
    with pytest.raises(ExceptionGroup) as raised, ungrouped(LookbackError):
        raise group
    assert raised.value is group


def test_an_error_in_no_group_passes() -> None:
    with pytest.raises(KeyError), ungrouped(LookbackError):
        raise KeyError("alone")


async def test_it_comes_out_of_tasks_as_it_went_in() -> None:
    async def fails() -> None:
        raise NotFoundError("in a task")

    with pytest.raises(NotFoundError, match="in a task"), ungrouped(LookbackError):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails())
