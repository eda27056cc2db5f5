"""The page: what planners open in a browser, over the same reads and rules as the API."""
