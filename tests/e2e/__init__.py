"""What a user sees, shown on a real cluster with real kubectl."""
