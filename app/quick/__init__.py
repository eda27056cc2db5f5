"""The short way to what is asked most: one node of the run that is shown, without threads or transactions."""
