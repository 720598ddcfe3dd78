"""The decision core: bytes and values in, values out.

No I/O, no clock (`now` is an argument), no randomness, no threads, no logging; kept so by an import contract.
"""
