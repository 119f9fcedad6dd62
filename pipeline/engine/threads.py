"""Maps a function over parts in threads of this process."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
