"""Maps a function over parts in threads of this process."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def map_threads(
    function: Callable[[Part], Result], parts: Sequence[Part], *, workers: int
) -> Iterator[Result]:
    """Yields `function(part)` in the order of `parts`, with at most `workers` at once.

    The first error ends the map: parts not yet begun are left, and the error is raised.
    """
    if workers == 1 or len(parts) < 2:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="adlake") as pool:
        futures = [pool.submit(function, part) for part in parts]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def map_ahead(
    function: Callable[[Part], Result], parts: Iterable[Part], *, ahead: int
) -> Iterator[Result]:
    """Yields `function(part)` in the order of `parts`, the next ones made meanwhile.

    Args:
        function: Called in one of `ahead` threads; with 0, in the caller's.
        parts: What it is called with.
        ahead: How many results at most are being made, or wait, while the caller has one.
    """
    if not ahead:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(ahead, thread_name_prefix="adlake-ahead") as pool:
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
