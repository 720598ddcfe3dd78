"""The command line: one module per command, registered in `interlock.cli.main`.

A command parses its arguments, calls the code that does the work and prints the result. It holds no rule of its own.
"""
