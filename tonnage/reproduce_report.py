"""What the command line prints about a run that was made again."""

from rich.console import Console

from retrain.reproduce import Reproduction


def print_reproduction(console: Console, found: Reproduction) -> None:
    """Identical, or what differs."""
    if found.identical:
        console.print(
            f"Run [bold]{found.run}[/] is identical, byte for byte: checksum {found.checksum}",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print(f"Run [bold]{found.run}[/] is not identical.", highlight=False, soft_wrap=True)
    parts = (("snapshot", found.damage), ("code", found.code), ("numbers", found.numbers))
    for title, sentences in parts:
        for sentence in sentences:
            console.print(f"{title}: {sentence}", markup=False, highlight=False, soft_wrap=True)


def reproduction_json(found: Reproduction) -> dict[str, object]:
    """The same as JSON's own types."""
    return {
        "run": found.run,
        "identical": found.identical,
        "snapshot": found.snapshot,
        "checksum": found.checksum,
        "damage": list(found.damage),
        "code": list(found.code),
        "numbers": list(found.numbers),
    }
