"""What a photo may show, told by a language model from the talk before the share."""
