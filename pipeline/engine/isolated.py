"""Maps a function over parts in child processes, which a part may take down with it."""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Generic, NamedTuple, TypeVar, cast

_LONGEST_TEMPORARY = 60
_WALL_A_CPU_SECOND = 30.0
_SHORTEST_WALL = 600.0
_MAIN = threading.Lock()

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crashed(NamedTuple):
    """Stands for the result of a part whose process died: the part cannot be worked on."""

    detail: str


@dataclass(frozen=True, slots=True)
class _Work(Generic[Part, Result]):
    """What a child does with each part, and what it may use up.

    Attributes:
        function: Called with the part.
        cpu_seconds: The CPU seconds that a part may take; None: any.
        memory_bytes: The memory that the child may ask for; None: any.
    """

    function: Callable[[Part], Result]
    cpu_seconds: Callable[[Part], float] | None
    memory_bytes: int | None

    def do(self, part: Part) -> Result | Crashed:
        """Works on one part, in a child, inside its limits."""
        seconds = self.allow(part)
        if seconds is None:
            return _guard(self.function, part)
        # Neither signal has a handler, so the system itself ends the child: also one that loops
        # in native code, where no Python runs.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, _limit_wall(seconds))
        try:
            return _guard(self.function, part)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def allow(self, part: Part) -> float | None:
        """The CPU seconds that a part may take."""
        return None if self.cpu_seconds is None else self.cpu_seconds(part)


def map_isolated(
    function: Callable[[Part], Result],
    parts: Sequence[Part],
    *,
    workers: int,
    cpu_seconds: Callable[[Part], float] | None = None,
    memory_bytes: int | None = None,
) -> list[Result | Crashed]:
    """Returns `function(part)` for each part, worked on in child processes.

    A part that fails takes no other part down, and gives a `Crashed`. Where its child dies (a
    crash in native code, a limit), the parts that it may have been working on run again, each in
    a child of its own. `function`, `cpu_seconds` and the parts must be picklable.

    Args:
        function: Called in a child.
        parts: What it is called with.
        workers: How many children there are at once.
        cpu_seconds: How many CPU seconds a part may take, above 0; None: any. A busy machine
            kills nothing, as waiting takes none. One that sleeps for ever is ended by the clock,
            at 30 times that, but not before 10 minutes.
        memory_bytes: How much memory a child may ask for, beyond its program; less than 2 GiB
            leaves too little for what Polars and Arrow reserve. It has no effect on macOS.

    Raises:
        OSError: The machine failed a child, as with a full disk, or no child could begin: that is
            no fault of a part.
    """
    work = _Work(function, cpu_seconds, memory_bytes)
    results: dict[int, Result | Crashed] = {}
    context = _choose_context(function.__module__)
    count = max(1, min(workers, len(parts)))
    while rest := [number for number in range(len(parts)) if number not in results]:
        together = _run_together(work, parts, rest, context, count)
        results |= together
        # Parts are begun in their order, and a pool takes in one more than it can hold twice: so
        # the culprit is among the first that are unfinished, and only these must be alone.
        unfinished = [number for number in rest if number not in results]
        for number in unfinished[: 2 * count + 1]:
            alone = _run_alone(work, parts[number], context)
            results[number] = alone
    return [results[number] for number in range(len(parts))]


def _run_together(
    work: _Work[Part, Result],
    parts: Sequence[Part],
    numbers: Sequence[int],
    context: BaseContext,
    count: int,
) -> dict[int, Result | Crashed]:
    """The results of the numbered parts up to the death of a child."""
    results: dict[int, Result | Crashed] = {}
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_begin, initargs=(work.memory_bytes,)
    ) as pool:
        futures = []
        for number in numbers:
            try:
                with _leave_main_out(work):
                    futures.append((number, pool.submit(work.do, parts[number])))
            except BrokenProcessPool:
                break
        for number, future in futures:
            try:
                results[number] = future.result()
            except BrokenProcessPool:
                continue
    return results


def _run_alone(work: _Work[Part, Result], part: Part, context: BaseContext) -> Result | Crashed:
    """The result of a part in a child of its own, which tells how it died."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # Every context has processes; only its base class does not say so.
    process = cast(BaseProcess, context.Process(target=_answer, args=(work, part, sender)))  # type: ignore[attr-defined]
    with _leave_main_out(work):
        process.start()
    sender.close()
    answers = []
    with receiver, contextlib.suppress(EOFError):
        while True:
            answers.append(receiver.recv())
    process.join()
    if not answers:
        raise OSError(f"a child process died at its start, with exit code {process.exitcode}")
    answer = answers[-1]
    if isinstance(answer, BaseException):
        raise answer
    if answer is None:
        return Crashed(_explain_death(process.exitcode, work.allow(part)))
    return cast(Result | Crashed, answer[0])


@contextlib.contextmanager
def _leave_main_out(work: _Work[Part, Result]) -> Iterator[None]:
    """Sees to it that a child which is started in here does not run the main module again.

    It would by default, whatever program that is: a task of Airflow's has the `airflow` command,
    which cannot be imported there. What a child works with comes from other modules.
    """
    if work.function.__module__ == "__main__":
        yield
        return
    with _MAIN:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _answer(work: _Work[Part, Result], part: Part, sender: Connection) -> None:
    """The whole life of a child with one part: sends None, then its result in a tuple or an error.

    Without the first of them it is not the part that the child died of.
    """
    _begin(work.memory_bytes)
    sender.send(None)
    try:
        sender.send((work.do(part),))
    except (OSError, KeyboardInterrupt, SystemExit) as error:
        sender.send(error)


def _explain_death(exit_code: int | None, seconds: float | None) -> str:
    if seconds is not None and exit_code == -signal.SIGPROF:
        return f"the process that read it took more than {seconds:g} CPU seconds"
    if seconds is not None and exit_code == -signal.SIGALRM:
        return f"the process that read it did not end in {_limit_wall(seconds):g} seconds"
    return "the process that read it died"


def _limit_wall(seconds: float) -> float:
    return max(_SHORTEST_WALL, _WALL_A_CPU_SECOND * seconds)


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


def _begin(memory_bytes: int | None) -> None:
    """Prepares this child: it keeps to its memory, and ends with the process it works for."""
    _end_with_parent()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # a child gets bytes; it has no business with their store
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
        # A child that dies of its memory is no news for whoever looks at core files.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@contextlib.contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Within it, this process fails to get more memory than so many bytes, and not the machine.

    It is a limit of the whole process: of all its threads, and of what it has already.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    _limit_memory(size)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _limit_memory(size: int) -> None:
    # Not RLIMIT_AS, which counts the gigabytes of addresses that allocators only reserve.
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    known = [size, *(limit for limit in limits if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(known), limits[1]))


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
