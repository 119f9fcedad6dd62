"""Maps a function over independent parts: threads where we trust the input, processes elsewhere."""

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import NamedTuple, TypeVar

_LONGEST_TEMPORARY = 60

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crashed(NamedTuple):
    """Stands for the result of a part whose process died: the part cannot be worked on."""

    detail: str


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


def map_isolated(
    function: Callable[[Part], Result], parts: Sequence[Part], *, workers: int
) -> list[Result | Crashed]:
    """Returns `function(part)` for each part, worked on in child processes.

    A part that fails takes no other part down, and gives a `Crashed`. Where its child dies (a
    crash in native code, out of memory), what was unfinished runs again, each part in a child of
    its own. `function` and the parts must be picklable.

    Raises:
        OSError: The machine failed a child, as with a full disk: that is no fault of a part.
    """
    results: dict[int, Result | Crashed] = {}
    context = _choose_context(function.__module__)
    count = max(1, min(workers, len(parts)))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent) as pool:
        futures = [pool.submit(_guard, function, part) for part in parts]
        for number, future in enumerate(futures):
            try:
                results[number] = future.result()
            except BrokenProcessPool:
                continue
    for number, part in enumerate(parts):
        if number not in results:
            results[number] = _run_alone(function, part, context)
    return [results[number] for number in range(len(parts))]


def _run_alone(
    function: Callable[[Part], Result], part: Part, context: BaseContext
) -> Result | Crashed:
    with ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            return pool.submit(_guard, function, part).result()
        except BrokenProcessPool:
            return Crashed("the process that read it died")


def _guard(function: Callable[[Part], Result], part: Part) -> Result | Crashed:
    """Keeps whatever a part does to its reader inside the child.

    Nothing less than everything is caught: a panic of native code is no Exception, and it can't
    be pickled, so it would end the whole run.
    """
    try:
        return function(part)
    except (OSError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - see above: isolation is the purpose
        return Crashed(f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    """Makes this child end with the process that it works for, and not by a Ctrl-C of its own.

    A worker holds both ends of its queue, so it would wait for work for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_end, args=(parent,), daemon=True).start()


def _wait_and_end(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _choose_context(module: str) -> BaseContext:
    """How children are started.

    Never by a plain fork: Polars and Arrow hold threads and locks that a forked child inherits.
    A fork server has imported `module` and started no thread, so its children begin at once.
    """
    known = "forkserver" in multiprocessing.get_all_start_methods()
    # The server's socket lies in the temporary folder, and a socket's path has an end.
    if not known or len(tempfile.gettempdir()) > _LONGEST_TEMPORARY:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context
