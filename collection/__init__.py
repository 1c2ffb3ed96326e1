"""Photo pool -> raw dialogues: two strangers chat, one of them shares a photo (section 3.2)."""
