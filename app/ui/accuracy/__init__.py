"""The view `/accuracy`: how good the forecasts have been."""
