"""Rows of the second stage: recalled definitions behind a memory, as the product asks."""
