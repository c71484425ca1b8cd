"""Several processes that play one year together: each has its own clients, and all meet at the exchanges."""

import multiprocessing
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

MEETING_SECONDS = 240


class TeamFailed(Exception):
    """One of the processes failed; the others stopped."""


@dataclass(frozen=True)
class Team:
    """This process's place among them, counted from 0; the first leads. Alone there is nobody to wait for."""

    place: int = 0
    size: int = 1
    barrier: Any = None

    @property
    def leads(self) -> bool:
        return self.place == 0

    def meet(self) -> None:
        """Wait until all are here. Raises :class:`TeamFailed` when one does not come."""
        if self.barrier is not None:
            try:
                self.barrier.wait(MEETING_SECONDS)
            except threading.BrokenBarrierError:
                raise TeamFailed("another process of the seeding failed") from None

    def mine(self, number: int) -> bool:
        """Whether the piece of work with this number is this process's."""
        return number % self.size == self.place


def together(size: int, work: Callable[[Team], None]) -> None:
    """Do ``work`` in ``size`` processes, this one leading. Raises what went wrong here, or :class:`TeamFailed`."""
    if size == 1:
        work(Team())
        return
    connections.close_all()  # a connection cannot be shared with a child
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(size)
    others = [
        fork.Process(target=_follow, args=(work, Team(place, size, barrier)), daemon=True) for place in range(1, size)
    ]
    for process in others:
        process.start()
    try:
        work(Team(0, size, barrier))
        for process in others:
            process.join(MEETING_SECONDS)
    finally:
        # After a failure here, or when somebody stops us, nobody is waited for: it is all made anew.
        for process in others:
            process.kill()
            process.join()
    if any(process.exitcode for process in others):
        raise TeamFailed("another process of the seeding failed")


def _follow(work: Callable[[Team], None], team: Team) -> None:
    try:
        work(team)
    except TeamFailed:
        sys.exit(1)
    except BaseException as error:
        if isinstance(error, Exception):
            traceback.print_exc()  # first: the leader ends this process once the barrier is broken
        team.barrier.abort()
        sys.exit(1)
    finally:
        connections.close_all()
