"""What a file is, by its first bytes: people rename files, bytes do not."""

from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.reading.errors import UnreadableFile

MOST_UNPACKED = 400_000_000
"""Bytes of a workbook when it is unpacked; 200,000 rows of five columns take 40 million."""

_AS_CSV = "save it as CSV or Excel workbook (.xlsx) and drop that"
_BEGINNINGS = (
    (b"%PDF", "a PDF", "tables cannot be read out of it; drop the CSV or Excel file it was made from"),
    (b"\x89PNG", "a picture (PNG)", "drop the CSV or Excel file that the numbers come from"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "drop the CSV or Excel file that the numbers come from"),
    (b"GIF8", "a picture (GIF)", "drop the CSV or Excel file that the numbers come from"),
    (b"PAR1", "a Parquet file", f"{_AS_CSV}, or use: tonnage forecast"),
    (b"\x1f\x8b", "a compressed file (gzip)", "unpack it first"),
    (b"7z\xbc\xaf", "a compressed file (7-Zip)", "unpack it first"),
    (b"Rar!", "a compressed file (RAR)", "unpack it first"),
    (b"{\\rtf", "a text document (RTF)", _AS_CSV),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK = 1 << 20


def is_workbook(content: bytes) -> bool:
    """Whether it is an Excel workbook rather than text; raises `UnreadableFile` if it is neither."""
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf\xfe\xff"):
        raise UnreadableFile("the file is empty", "drop one with a row of names and rows of history below")
    for beginning, what, remedy in _BEGINNINGS:
        if content.startswith(beginning):
            raise UnreadableFile(f"this is {what}, not a table", remedy)
    if content.startswith(_OLE):
        _refuse_ole(content)
    if content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise UnreadableFile(
            "this is a web page or XML, whatever its name ends with",
            "open it in Excel and save it as Excel workbook (.xlsx) or CSV",
        )
    if not content.startswith(b"PK"):
        return False
    _check_zip(content)
    return True


def _refuse_ole(content: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableFile(
            "the workbook is protected by a password, so nothing in it can be read",
            "save a copy without a password: File › Info › Protect Workbook",
        )
    raise UnreadableFile(
        "this is a file of Excel 97–2003 (.xls) or of another old Office program",
        "open it in Excel and save it as Excel workbook (.xlsx)",
    )


def _check_zip(content: bytes) -> None:
    try:
        with ZipFile(BytesIO(content)) as packed:
            infos = packed.infolist()
            _check_names({info.filename for info in infos})
            _check_unpacked(packed, infos)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UnreadableFile(
            "the workbook is damaged or cut off and cannot be unpacked",
            "open it in Excel, save it anew, and drop that",
        ) from error


def _check_names(names: set[str]) -> None:
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        what = "a binary Excel workbook (.xlsb)"
    elif "word/document.xml" in names:
        what = "a Word document"
    elif "ppt/presentation.xml" in names:
        what = "a PowerPoint presentation"
    elif "content.xml" in names:
        what = "an OpenDocument file"
    else:
        raise UnreadableFile("this is a ZIP archive, not a table", "unpack it and drop the file inside")
    raise UnreadableFile(f"this is {what}", _AS_CSV)


def _check_unpacked(packed: ZipFile, infos: list[ZipInfo]) -> None:
    """What a file says of its own size may be wrong, so it is unpacked, and never kept."""
    size = 0
    for info in infos:
        with packed.open(info) as part:
            while some := part.read(_CHUNK):
                size += len(some)
                if size > MOST_UNPACKED:
                    raise UnreadableFile(
                        f"the workbook has more than {MOST_UNPACKED:,} bytes when it is unpacked",
                        "save the sheet with the history as CSV, or use: tonnage forecast",
                    )
