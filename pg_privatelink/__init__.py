"""Postgres over AWS PrivateLink for people who write no Python: a YAML file, its CDK app and the command."""
