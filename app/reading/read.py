"""A file as a table: the door of this room."""

from app.reading.kinds import is_workbook
from app.reading.table import Table, table_of
from app.reading.text_rows import rows_of_text
from app.reading.workbook_rows import Sheets, rows_of_workbook


def read_table(content: bytes, sheet: str | None = None) -> Table | Sheets:
    """The table in a file, or the sheets of a workbook where one has to be chosen.

    Raises `UnreadableFile`: what was found, where, and what to do about it. The file's name is not asked.
    """
    if not is_workbook(content):
        return table_of(rows_of_text(content))
    rows = rows_of_workbook(content, sheet)
    return rows if isinstance(rows, Sheets) else table_of(rows)
