"""The core: coherent monthly forecasts as pure mathematics; it knows none of the other rooms."""
