"""Keeps what a champion says from past origins while a contest is held, for months before the first run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.store.past import PastRun, Said, as_past
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.folds import ByRecipe
from retrain.pooled_errors import LEADS, levels_to_read


@dataclass(frozen=True, eq=False)
class KeptHindcasts:
    """Forecasts by `forecast` for a contest, and remembers those of one recipe: what drift needs, no more.

    `hierarchy` is that of the whole panel, `levels` are those that are watched.
    """

    recipe: Recipe
    hierarchy: Hierarchy
    levels: Sequence[Level]
    forecast: ByRecipe
    _kept: dict[Month, PastRun] = field(default_factory=dict)

    def __call__(
        self, recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
    ) -> Forecast:
        """What a recipe says of the months after a panel's end; see `ByRecipe`."""
        forecast = self.forecast(recipe, panel, horizon, probabilities)
        if recipe == self.recipe:
            past = as_past(forecast, self.hierarchy, f"{recipe.name} from {forecast.origin}")
            read = levels_to_read(self.hierarchy, self.levels)
            said = {
                level: Said(each.row, each.mean[:, :LEADS], each.quantiles[:, :, :LEADS])
                for level, each in past.said.items()
                if level in read
            }
            self._kept[past.origin] = PastRun(
                past.id, past.origin, past.probabilities, past.months[:LEADS], said
            )
        return forecast

    @property
    def hindcasts(self) -> list[PastRun]:
        """What was kept, oldest first."""
        return [self._kept[origin] for origin in sorted(self._kept)]
