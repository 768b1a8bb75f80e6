"""The function that follows a database's DNS name and keeps the target groups of a Network Load Balancer right."""
