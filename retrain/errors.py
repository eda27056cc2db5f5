"""What can stop a month.

RetrainError
├── BadPlan        a section of tonnage.toml that the month reads makes no sense
├── BadRecipe      a setting of a recipe makes no sense
├── BadRecipeFile  a file of recipes that cannot be read
├── UnknownRecipe  a recipe that its file does not have
├── RegistryUnavailable  the model registry is out of reach
├── NotRecorded    the model registry has no complete version of a run
├── TooShortToTune history has no room for tuning before the months that a contest judges
├── NothingTuned   no recipe that was tried could be judged
├── NothingToCompare two runs that say nothing of the same
├── MadeUnknown    a run of a version that did not keep what it was made by
└── Refused        a guard found a run that must not be shown; the last one stays
"""

import re


class RetrainError(Exception):
    """Base of the conductor's errors."""


class BadPlan(RetrainError):
    """A setting of a section of tonnage.toml that the month reads, and that makes no sense."""

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


class RegistryUnavailable(RetrainError):
    """The model registry is out of reach, or cannot keep what it is given."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        # A URL may hold a password, and problems tell URLs.
        first = re.sub(r"//[^/@\s]*@", "//***@", problem.strip().partition("\n")[0])
        super().__init__(
            f"the model registry, {place}, cannot be used: {first}\n"
            "start it, or say in TONNAGE_MLFLOW_URL where it is, and run the month again: it resumes"
        )


class NotRecorded(RetrainError):
    """A run of which the model registry has no complete version."""

    def __init__(self, run: str, place: str) -> None:
        self.run = run
        super().__init__(
            f"the model registry, {place}, has no complete version of run {run}; run its month again"
        )


class TooShortToTune(RetrainError):
    """History has no room for folds to tune on before the months that a contest judges."""

    def __init__(self, months: int, needed: int, folds: int) -> None:
        self.months = months
        self.needed = needed
        super().__init__(
            f"history covers {months} months; {needed} are needed for {folds} past origins to tune on whose "
            "months end before those that a contest judges: load more history, ask for a shorter "
            "forecast.horizon or for fewer contest.origins"
        )


class NothingTuned(RetrainError):
    """No recipe that was tried could be judged."""

    def __init__(self, tried: int, failure: str) -> None:
        self.tried = tried
        super().__init__(
            f"none of {tried} recipes could be judged, the first because {failure}"
            if tried
            else "no recipe was judged before the time was over; allow more by --timeout: "
            "what was measured is kept"
        )


class NothingToCompare(RetrainError):
    """Two runs that say nothing of the same."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; compare runs whose months overlap and whose plans share a level")


class MadeUnknown(RetrainError):
    """A run of a version that did not keep what it was made by."""

    def __init__(self, run: str) -> None:
        self.run = run
        super().__init__(
            f"run {run} did not keep its recipe and plan, for it is from before version 0.3: "
            "retrain its month to get a run that does"
        )


class Refused(RetrainError):
    """A run that must not be shown, with every reason."""

    def __init__(self, run: str, reasons: list[str]) -> None:
        self.run = run
        self.reasons = reasons
        super().__init__(
            f"run {run} is not shown: {'; '.join(reasons)}; the current run stays\n"
            'look into it, raise the bound in [guard], or show it all the same: --accept "why"'
        )
