"""`excel`: rows from a workbook."""

from files import BOTH_OK, HEADER, outcomes, verify_file
from openpyxl import Workbook


def write(name, rows):
    book = Workbook()
    for row in [HEADER, *rows]:
        book.active.append(row)
    book.save(name)


verify_file("rows.xlsx", write)
assert outcomes() == BOTH_OK
