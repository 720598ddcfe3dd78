"""Narrated demonstrations: what Interlock is for, shown on a real control plane with the real kubectl.

Every command is printed as a user would type it, followed by what it really printed. Each has an expected outcome; the
first one that comes out differently ends the demonstration with exit code 1, so that it is a test as well.
"""

from devtools.demo.play import main

__all__ = ["main"]
