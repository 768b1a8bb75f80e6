"""The function that answers for the connections of an endpoint service."""
