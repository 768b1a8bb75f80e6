"""An in-process extension of ministack: the rules of AWS this project relies on and the stock emulator lacks.

It runs in the emulator's own interpreter, started by `start.py`, and is written against ministack's private
interface: `emulator/requirements.txt` pins the version, `tests/emulator` is the guard. Nothing of ministack is
changed or copied.
"""
