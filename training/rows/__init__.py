"""What a model is trained on: repositories with other names and paths, and questions with one right answer. Knows corpus."""
