"""What the command line prints about a profile."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tonnage.amounts import Amounts
from tonnage.page_parts import share
from tonnage.profile_file import WrittenProfile


def print_profile(console: Console, written: WrittenProfile) -> None:
    """Each source's months, gaps and lines, the leaves by demand class, and where the page is."""
    profile, amounts = written.profile, Amounts(written.profile.demand)
    known = profile.headline
    title = (
        f"Snapshot {written.snapshot[:12]} up to {profile.month}: {known.lines:,} lines, "
        f"{amounts.text(known.quantity)} {amounts.unit}, {known.leaves:,} leaves"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("source")
    table.add_column("first", no_wrap=True)
    table.add_column("last", no_wrap=True)
    for head in ("months", "gaps", "lines", amounts.unit, "set aside"):
        table.add_column(head, justify="right")
    texts = amounts.texts(profile.sources["quantity"].to_list())
    for row, text in zip(profile.sources.to_dicts(), texts, strict=True):
        part = share(row["set_aside"], row["lines"] + row["set_aside"])
        table.add_row(
            Text(row["source"]),
            row["first"] or "–",
            row["last"] or "–",
            f"{row['filled']:,}",
            f"{row['gaps']:,}",
            f"{row['lines']:,}",
            text,
            f"{row['set_aside']:,} ({part})",
        )
    console.print(table, highlight=False)
    if known.leaves:
        classes = ", ".join(
            f"{leaves:,} {kind} ({share(leaves, known.leaves)})"
            for kind, leaves in profile.classes["class", "leaves"].rows()
            if leaves
        )
        console.print(f"Leaves: {classes}", highlight=False, soft_wrap=True)
    console.print(str(written.page), markup=False, highlight=False, soft_wrap=True)
