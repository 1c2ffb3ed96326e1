"""Photo retrieval: which photo of a gallery goes with what was said (section 6.2 and after)."""
