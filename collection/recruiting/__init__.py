"""Where workers come from: platforms behind one small interface."""
