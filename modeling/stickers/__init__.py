"""Which sticker answers a conversation: Int-RA (arXiv 2403.05427), its knowledge, its measures."""
