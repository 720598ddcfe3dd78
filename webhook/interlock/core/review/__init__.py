"""AdmissionReviews: bytes to a request, a decision to bytes."""
