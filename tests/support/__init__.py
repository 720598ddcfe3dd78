"""Helpers that several test suites share; nothing here is a test."""
