"""The serving tables: their shape, one writer, one reader."""
