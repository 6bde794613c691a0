"""Read the records of a file whose cells have types, Parquet or Excel: the place of each, and its cells by our column names."""

from __future__ import annotations

import io
import warnings
from typing import IO, TYPE_CHECKING, Any, Final

from authing_mfa.batch.files.records import EMPTY, Record
from authing_mfa.batch.files.table import match_columns
from authing_mfa.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

__all__ = ["open_parquet", "parquet_records", "xlsx_records"]

_BATCH: Final = 1024  # rows of a Parquet file that are read at once
_BUFFER: Final = 1 << 20  # bytes of a column that are read at once


def parquet_records(file: IO[bytes], columns: Mapping[str, str], kind: str | None) -> Generator[Record]:
    """Yield the records of a Parquet file."""
    table = open_parquet(file)
    there = table.schema_arrow.names
    ours = match_columns(there, columns, kind)
    number = 0
    for batch in table.iter_batches(batch_size=_BATCH, columns=[there[at] for at in sorted(set(ours.values()))]):
        cells = {name: _values(batch.column(there[at])) for name, at in ours.items()}
        for at in range(batch.num_rows):
            number += 1
            yield f"row {number}", {name: values[at] for name, values in cells.items()}


def _values(column: Any) -> list[Any]:
    """Return the cells of *column*. Some programs write text as bytes, or as text that is not UTF-8: no row accepts the latter."""
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        values = column.cast("large_binary").to_pylist()
    return [value.decode(errors="surrogateescape") if isinstance(value, bytes) else value for value in values]


def open_parquet(file: IO[bytes]) -> Any:
    """Return the Parquet file, from a file or from a pipe, which is read to its end.

    Raises:
        InvalidInputError: pyarrow is missing, or the file is not a Parquet file.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InvalidInputError("Parquet needs pyarrow: pip install 'authing-mfa[parquet]'.") from error
    pa: Any = pyarrow
    try:
        source = file if file.seekable() else io.BytesIO(file.read())
        # Otherwise a whole row group is read at once, which may be the whole file.
        return pa.parquet.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InvalidInputError("This is not a Parquet file.") from error


def xlsx_records(
    file: IO[bytes], columns: Mapping[str, str], kind: str | None, on_sheet: Callable[[str], Any]
) -> Generator[Record]:
    """Yield the records of the first sheet of an Excel workbook. Cells must be text: a number has lost its leading zeros.

    If the workbook has other sheets, *on_sheet* is called with the name of the first one.
    """
    sheets = _open_xlsx(file)
    if len(sheets) > 1:
        on_sheet(f"{sheets[0].title} (1 of {len(sheets)})")
    sheets[
        0
    ].reset_dimensions()  # many programs write a wrong size of the sheet: the rows outside of it would be left out
    rows = enumerate(sheets[0].iter_rows(values_only=True), 1)
    header: Sequence[Any] = next((row for _, row in rows if any(cell is not None for cell in row)), ())
    if not header:
        raise InvalidInputError(EMPTY)
    ours = match_columns([cell if isinstance(cell, str) else "" for cell in header], columns, kind)
    for number, row in rows:
        if any(cell is not None and cell != "" for cell in row):
            yield f"sheet row {number}", {name: row[at] for name, at in ours.items() if at < len(row)}


def _open_xlsx(file: IO[bytes]) -> Any:
    """Return the sheets with cells of an Excel workbook."""
    try:
        from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise InvalidInputError("Excel workbooks need openpyxl: pip install 'authing-mfa[excel]'.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles
            book = load_workbook(file if file.seekable() else io.BytesIO(file.read()), read_only=True)
        sheets = book.worksheets
    except Exception as error:  # any error in the file: zip, XML, a missing part
        raise InvalidInputError("This is not an Excel workbook (.xlsx).") from error
    if not sheets:
        raise InvalidInputError("The Excel workbook has no sheet with cells.")
    return sheets
