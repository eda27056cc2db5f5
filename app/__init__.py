"""The door out: serving tables and the REST service that reads them."""
