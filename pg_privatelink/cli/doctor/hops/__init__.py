"""The hops of the path, each with its checks: pure functions from the facts to findings."""
