"""The view `/predict`: a forecast of a file that somebody brings, of which nothing is stored."""
