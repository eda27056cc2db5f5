"""The view `/explorer`: the nodes of a level in a grid, and the chosen one through time."""
