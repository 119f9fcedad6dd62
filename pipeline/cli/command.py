"""What every command has: a lake, its options, and one line at its end where it fails."""

import contextlib
import dataclasses
import functools
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from pipeline.cli import signals
from pipeline.errors import AdlakeError, StorageError
from pipeline.secret import ScrubbingFormatter, scrub
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from pipeline.lake import Lake

P = ParamSpec("P")

_INTERRUPTED = "interrupted; what was committed stands"


@dataclasses.dataclass(frozen=True, slots=True)
class LakeOptions:
    """The options of every command.

    Attributes:
        lake: The lake's root; None: as the settings say.
        verbose: Whether to say what is being done.
        debug: Whether to show the traceback of an error.
    """

    lake: Annotated[
        str | None,
        typer.Option(
            "--lake", help="The lake's root [default: $ADLAKE_URI or ./lake].", metavar="URI"
        ),
    ] = None
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")
    ] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False


@dataclasses.dataclass(frozen=True)
class Session:
    """What a command works with.

    Attributes:
        settings: From the environment, with the lake of `--lake`.
    """

    settings: Settings

    @functools.cached_property
    def lake(self) -> "Lake":
        """The lake; it is opened when it is first asked for, and nothing is made by that.

        Raises:
            UsageError: The URI is none of a lake.
            SetupError: It is a bucket, and there are no credentials.
        """
        from pipeline.lake import Lake
        from pipeline.storage import open_storage

        return Lake(open_storage(self.settings.lake_uri))

    @contextlib.contextmanager
    def open_engine(self, cluster: str | None) -> Iterator["Engine"]:
        """What works on the command's parts: the cluster of `--cluster` or the environment.

        Raises:
            UsageError: The cluster's name is none, or Dask is not installed.
            ClusterError: The cluster cannot be reached or used.
        """
        from pipeline.engine import open_engine

        name = cluster or self.settings.cluster
        with open_engine(name, workers=self.settings.workers) as engine:
            yield engine


def on_lake(work: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """Makes a command of a function that works on a lake.

    The command's options are the function's parameters after the session, and `LakeOptions`. A
    parameter that is annotated with a dataclass stands for one option for each of its fields.
    """
    _, *parameters = inspect.signature(work).parameters.values()
    groups = {one.name: one.annotation for one in parameters}
    groups = {name: kind for name, kind in groups.items() if dataclasses.is_dataclass(kind)}
    options = [
        option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for one in parameters
        for option in (_list_fields(one.annotation) if one.name in groups else [one])
    ] + _list_fields(LakeOptions)

    @functools.wraps(work)
    def command(**given: Any) -> None:
        with open_session(_take(LakeOptions, given)) as session:
            taken = {name: _take(kind, given) for name, kind in groups.items()}
            work(session, **taken, **given)  # type: ignore[call-arg] # typer gives all, by name

    vars(command)["__signature__"] = inspect.Signature(options)
    command.__annotations__ = {one.name: one.annotation for one in options}
    return command


def _list_fields(kind: type) -> list[inspect.Parameter]:
    fields = inspect.signature(kind).parameters.values()
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in fields]


def _take(kind: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Makes a group of options of those that were given, and takes them away."""
    return kind(**{name: given.pop(name) for name in inspect.signature(kind).parameters})


@contextlib.contextmanager
def open_session(options: LakeOptions) -> Iterator[Session]:
    """Reads the settings, and ends the command with one line where it goes wrong.

    This is the one place where an error of any kind is caught: a person gets a message and the
    exit code that belongs to it, and the traceback with `--debug`.
    """
    if options.verbose:
        _log_to_stderr()
    try:
        settings = Settings.from_env(os.environ)
        if options.lake:
            settings = dataclasses.replace(settings, lake_uri=options.lake)
        yield Session(settings)
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except SystemExit:
        code = signals.find_exit_code()
        if code is None:
            raise  # Rich's, which ends a program so whose reader has gone
        _end(_INTERRUPTED, code)
    except KeyboardInterrupt:
        _end(_INTERRUPTED, signals.find_exit_code() or signals.EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - see above: nothing may end in a traceback
        code = signals.find_exit_code()
        if code is not None:  # DuckDB makes an error of its own of what a signal's handler raises
            _end(_INTERRUPTED, code)
        if options.debug:
            print(scrub(traceback.format_exc()), end="", file=sys.stderr)
        _end(*_explain(error))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ScrubbingFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("pipeline").setLevel(logging.INFO)  # libraries log what is not theirs


def _explain(error: Exception) -> tuple[str, int]:
    """What a person is told of an error, and the exit code."""
    if isinstance(error, AdlakeError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return str(error), StorageError.exit_code
    advice = "This is a fault of adlake's; run it again with --debug for the traceback."
    return f"unexpected {type(error).__name__}: {error}\n{advice}", 1


def _end(message: str, code: int) -> None:
    print(f"adlake: {scrub(message)}", file=sys.stderr)
    raise typer.Exit(code)
