"""The training of the decoder and of its retaining heads. Knows corpus, rows and model."""
