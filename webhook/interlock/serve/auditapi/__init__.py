"""`audit.interlock.dev` over HTTPS: AuditRecords for whoever the API server's front proxy names and RBAC lets read."""
