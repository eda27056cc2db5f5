"""What a user can get wrong at the front door; each becomes exit code 2.

FrontDoorError
├── BadConfig        tonnage.toml is missing, is not TOML, or has a section nobody knows
├── BadHistoryFile   a history file that is missing, not a table, or holds what is not history
├── HouseInUse       a data folder with runs that are not the demo's own
├── BadOutput        a place where the answer cannot be written
├── BadTracking      a URL at which MLflow cannot keep its record
├── PortInUse        somebody else listens on the address to serve on
└── UnknownEvent     no drift event, or not one alone, has an id that begins like this
"""

from pathlib import Path


class FrontDoorError(Exception):
    """Base of the front door's errors; the message names the place, the value and the remedy."""


class BadConfig(FrontDoorError):
    """The configuration file is missing, unreadable or has unknown parts."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


class BadHistoryFile(FrontDoorError):
    """A history file that cannot be read as history."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


class HouseInUse(FrontDoorError):
    """A data folder with runs that the demo's months would mix with."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(f"{home} has runs already; name an empty folder by TONNAGE_HOME to play months in")


class BadOutput(FrontDoorError):
    """A place where the answer cannot be written."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


class BadTracking(FrontDoorError):
    """A URL at which MLflow cannot keep its record."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        super().__init__(
            f"TONNAGE_MLFLOW_URL = {shown!r}: write the URL of an MLflow server, http:// or https://, "
            "or of a PostgreSQL for MLflow alone, postgresql://"
        )


class UnknownEvent(FrontDoorError):
    """No drift event, or not one alone, has an id that begins as asked."""

    def __init__(self, beginning: str, there_are: list[str]) -> None:
        self.beginning = beginning
        self.there_are = there_are
        known = f"there are {', '.join(there_are[:10])}" if there_are else "there are none"
        super().__init__(f"{beginning!r} is not one drift event; {known}: tonnage drift list")


class PortInUse(FrontDoorError):
    """Another process listens on the address."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(f"port {port} on {host} is in use; stop what listens there or pass another --port")
