"""Writes the rows of a statement as they come, so that memory does not depend on how many."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import QueryError
from pipeline.kpi.output import render_csv, to_json
from pipeline.kpi.query import Result, RowStream, to_result

Change = Callable[[Result], Result]


def write_rows(
    rows: RowStream, form: str, sink: IO[bytes], *, change: Change | None = None
) -> None:
    """Writes all rows.

    Args:
        rows: Of a statement.
        form: `csv` and `json` as `output` has them; `parquet`; or `arrow`, Arrow's stream format.
        sink: Where to; not closed.
        change: What is done to the rows of a CSV before they are written.

    Raises:
        QueryError: The engine refused the statement on the way, or the form has no such type.
    """
    try:
        if form == "csv":
            _write_csv(rows, sink, change or _leave)
        else:
            _WRITERS[form](rows, sink)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise QueryError(f"a column cannot be written as {form} ({error}): cast it") from error


def _leave(result: Result) -> Result:
    return result


def _write_csv(rows: RowStream, sink: IO[bytes], change: Change) -> None:
    header = True
    for result in map(change, _convert(rows)):
        sink.write(render_csv(result, header=header).encode(errors="backslashreplace"))
        header = False
    if header:
        sink.write(render_csv(change(Result(rows.columns, ()))).encode())


def _write_json(rows: RowStream, sink: IO[bytes]) -> None:
    before = "[\n  "
    for result in _convert(rows):
        for row in result.to_dicts():
            sink.write(f"{before}{to_json(row)}".encode(errors="backslashreplace"))
            before = ",\n  "
    sink.write(b"[]\n" if before.startswith("[") else b"\n]\n")


def _write_parquet(rows: RowStream, sink: IO[bytes]) -> None:
    with pq.ParquetWriter(
        sink, rows.schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _write_arrow(rows: RowStream, sink: IO[bytes]) -> None:
    with pa.ipc.new_stream(sink, rows.schema) as writer:  # type: ignore[arg-type] # stubs lack IO
        for batch in rows:
            writer.write_batch(batch)


def _convert(rows: Iterable[pa.RecordBatch]) -> Iterator[Result]:
    for batch in rows:
        yield to_result(pa.Table.from_batches([batch]))


_WRITERS: Final[dict[str, Callable[[RowStream, IO[bytes]], None]]] = {
    "json": _write_json,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
}
