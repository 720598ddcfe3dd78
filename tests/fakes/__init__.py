"""Fakes behind the Protocols of `interlock.core.ports`: real implementations in memory, with faults on demand."""
