"""The composition roots: each process is put together here, and only here is the clock read and chance asked."""
