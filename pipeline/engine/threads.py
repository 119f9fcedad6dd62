"""Maps a function over parts in threads of this process."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Final, TypeVar

PARTS_A_WORKER: Final = 4
"""How far `map_threads` is ahead of its caller, for each worker: more would fill the memory with
results that wait, fewer would leave workers idle while one part takes longer than its neighbours.
"""

Part = TypeVar("Part")
Result = TypeVar("Result")


def map_threads(
    function: Callable[[Part], Result], parts: Iterable[Part], *, workers: int
) -> Generator[Result, None, None]:
    """Yields `function(part)` in the order of `parts`, with at most `workers` at once.

    Parts are pulled as results are taken, at most `PARTS_A_WORKER` times `workers` ahead. The
    first error ends the map, and so does its `close`: parts not yet begun are left.
    """
    if workers == 1:
        yield from map(function, parts)
        return
    rest = iter(parts)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from map(function, first)
        return
    ahead = PARTS_A_WORKER * workers
    yield from map_ahead(function, chain(first, rest), ahead=ahead, threads=workers)


def map_ahead(
    function: Callable[[Part], Result],
    parts: Iterable[Part],
    *,
    ahead: int,
    threads: int | None = None,
) -> Generator[Result, None, None]:
    """Yields `function(part)` in the order of `parts`, the next ones made meanwhile.

    Args:
        function: Called in a thread of its own; with `ahead` 0, in the caller's.
        parts: What it is called with.
        ahead: How many results at most are being made, or wait, while the caller has one.
        threads: How many of them are made at once; None: all.
    """
    if not ahead:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(threads or ahead, thread_name_prefix="adlake") as pool:
        following: deque[Future[Result]] = deque()
        try:
            for part in parts:
                following.append(pool.submit(function, part))
                if len(following) > ahead:
                    yield following.popleft().result()
            while following:
                yield following.popleft().result()
        finally:
            for future in following:
                future.cancel()
