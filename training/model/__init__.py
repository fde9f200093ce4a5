"""The decoder, its tokenizer, its retaining heads and its retained cache."""
