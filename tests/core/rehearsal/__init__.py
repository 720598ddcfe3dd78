"""Requests that nobody sent."""
