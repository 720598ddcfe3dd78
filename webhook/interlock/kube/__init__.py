"""The Kubernetes API as Interlock uses it: one client, and what guard and controller do with it."""
