"""What listens: the HTTP edge, the admission endpoint behind it, probes and metrics. Knows no kopf and no ledger."""
