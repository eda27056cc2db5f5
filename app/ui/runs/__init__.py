"""The view `/runs`: how the numbers were made, and what is being made."""
