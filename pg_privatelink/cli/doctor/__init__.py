"""`pg-privatelink doctor`: the path hop by hop, what is wrong with it, and what to change."""
