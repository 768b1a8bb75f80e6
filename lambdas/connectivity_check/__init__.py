"""The function that connects to Postgres through an interface endpoint, and measures how that went."""
