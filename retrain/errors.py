"""What can stop a month.

RetrainError
├── BadPlan        a section of tonnage.toml that the month reads makes no sense
├── BadRecipe      a setting of a recipe makes no sense
├── BadRecipeFile  a file of recipes that cannot be read
├── UnknownRecipe  a recipe that its file does not have
└── Refused        a guard found a run that must not be shown; the last one stays
"""


class RetrainError(Exception):
    """Base of the conductor's errors."""


class BadPlan(RetrainError):
    """A setting of a section of `tonnage.toml` that the month reads makes no sense."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        self.setting = setting
        self.value = value
        super().__init__(f"{setting} = {value!r}: {remedy}")


class BadRecipe(RetrainError):
    """A setting of a recipe that makes no sense."""

    def __init__(self, place: str, setting: str, value: object, remedy: str) -> None:
        self.place = place
        self.setting = setting
        self.value = value
        seen = "is missing" if value is None else f"= {value!r}"
        super().__init__(f"{place}: {setting} {seen}: {remedy}")


class BadRecipeFile(RetrainError):
    """A file of recipes that cannot be read."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        super().__init__(f"{place}: {problem}")


class UnknownRecipe(RetrainError):
    """A recipe that its file does not have, beside those that it has."""

    def __init__(self, place: str, name: str, known: tuple[str, ...]) -> None:
        self.place = place
        self.name = name
        self.known = known
        super().__init__(f"there is no recipe {name!r} in {place}; there are {', '.join(known)}")


class Refused(RetrainError):
    """A run that must not be shown, with every reason."""

    def __init__(self, run: str, reasons: list[str]) -> None:
        self.run = run
        self.reasons = reasons
        super().__init__(
            f"run {run} is not shown: {'; '.join(reasons)}; the current run stays\n"
            'look into it, raise the bound in [guard], or show it all the same: --accept "why"'
        )
