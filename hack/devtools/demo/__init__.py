"""Narrated demonstrations: what Interlock is for, shown on a real control plane with the real kubectl.

    hack/demo               what is denied, when it is allowed, and how one proves afterwards what happened
    hack/demo backdoors     the ways around a deletion, each tried and denied
    hack/demo rbac          the ways to more power, and how they are told

Every command is printed as a user would type it, followed by what it really printed. Each has an expected outcome; the
first one that comes out differently ends the demonstration with exit code 1, so that it is a test as well.
"""

from devtools.demo.command import main

__all__ = ["main"]
