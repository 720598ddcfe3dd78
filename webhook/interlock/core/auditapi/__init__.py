"""The audit trail as a Kubernetes API: AuditRecords, made of the ledger's records, as pure values."""
