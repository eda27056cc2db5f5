"""Files that people bring, CSV or Excel, as history; what is none is told with its place and a remedy."""
