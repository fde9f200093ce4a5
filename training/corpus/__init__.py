"""Source packages, and the facts about their definitions that a program can check."""
