"""Rows of the first stage: code, and questions about it."""
