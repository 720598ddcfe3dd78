"""Reviews of requests that nobody sent, as an API server would send them: for tests and explanations of policies."""
