"""How well a talk fits the photo that was shared in it: hints in words, and nearness of meaning."""
