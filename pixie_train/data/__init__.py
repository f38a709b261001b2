"""Training data made on the spot: synthetic people as a landmark detector sees them."""
