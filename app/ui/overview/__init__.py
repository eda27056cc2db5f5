"""The view `/`: this month in one look."""
