"""What is measured, exported and said of a trained model. Knows all other rooms."""
