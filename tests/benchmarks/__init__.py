"""Speed, measured and printed; nothing here is asserted."""
