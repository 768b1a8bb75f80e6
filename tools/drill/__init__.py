"""The drill on loopback: real failovers of real Postgres servers behind the deployed app, and figures of each.

`site.py` is the account with the app in it; `scenarios.py` says what goes wrong; `peers.py` runs models of how others
follow a name, beside the function; `play.py` runs one scenario with clients of every strategy at every registration
delay, side by side; `table.py` and `chart.py` show the figures.
"""
