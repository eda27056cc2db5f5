"""One file per kind of source: the same verbs, batches of raw lines out."""
