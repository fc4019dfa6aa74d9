"""What every operation promises, proven by clients over TCP."""
