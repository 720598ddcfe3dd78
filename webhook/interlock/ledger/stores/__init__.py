"""Object stores that records are shipped to, behind `core.ports.ObjectStore`."""
