"""`pg-privatelink status`: the service as it is now."""
