"""The one reader of what people bring: tables of any usual kind, and plain text.

`open_rows` recognises what a file holds; the `Reading` that it returns is an iterator of rows.
"""

from minbert.reading.columns import Columns, Wanted
from minbert.reading.files import file_source
from minbert.reading.labelled import open_labelled
from minbert.reading.labels import LabelError, Scale, label_of
from minbert.reading.lines import ReadError, decoded, text_source
from minbert.reading.quotes import LONGEST_FIELD
from minbert.reading.rows import BadRow, Reading, Row, first_cells, open_rows

__all__ = [
    "LONGEST_FIELD",
    "BadRow",
    "Columns",
    "LabelError",
    "ReadError",
    "Reading",
    "Row",
    "Scale",
    "Wanted",
    "decoded",
    "file_source",
    "first_cells",
    "label_of",
    "open_labelled",
    "open_rows",
    "text_source",
]
