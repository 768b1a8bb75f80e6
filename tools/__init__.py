"""What `make`, pytest and the demo share: set-up and processes. Never imported by the app or the library."""
