"""What can stop a month.

RetrainError
├── BadPlan   the hierarchy or forecast part of tonnage.toml makes no sense
└── Refused   a guard found a run that must not be shown; the last one stays
"""


class RetrainError(Exception):
    """Base of the conductor's errors."""


class BadPlan(RetrainError):
    """A setting of `[hierarchy]` or `[forecast]` that makes no sense."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        self.setting = setting
        self.value = value
        super().__init__(f"{setting} = {value!r}: {remedy}")


class Refused(RetrainError):
    """A run that must not be shown, with every reason."""

    def __init__(self, run: str, reasons: list[str]) -> None:
        self.run = run
        self.reasons = reasons
        super().__init__(f"run {run} is not shown: {'; '.join(reasons)}; the current run stays")
