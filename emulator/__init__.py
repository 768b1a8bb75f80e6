"""AWS, DNS, Postgres and an NLB's data plane on loopback: what the demo, the drill and the tests run against."""
