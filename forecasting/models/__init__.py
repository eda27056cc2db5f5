"""Base models: each forecasts all series of a batch at once."""
