"""Who may do what by RBAC: everything that roles and bindings give, what a write newly gives, and where it leads."""
