"""`interlock policy`: testing, explaining and linting policies, offline and with the guard's own functions."""
