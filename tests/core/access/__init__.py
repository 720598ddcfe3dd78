"""Roles and bindings: what a write newly gives, and where it leads."""
