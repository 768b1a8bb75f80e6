"""`pg-privatelink init`: a YAML file made of what the account tells."""
