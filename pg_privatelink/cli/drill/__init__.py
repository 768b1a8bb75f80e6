"""The command `drill`: what a failover looks like to clients, measured through the whole path.

`clients.py` makes connections, asks and writes; `record.py` is what they saw; `measure.py` and `accounting.py` make
figures of it, without input or output; `failover.py` is the only part that changes anything in an account.
"""
