"""DangerPolicies: reading them, what they speak of, when their windows are open, and finding those that matter."""
