"""Build tools: they make the shipped assets from their public sources."""
