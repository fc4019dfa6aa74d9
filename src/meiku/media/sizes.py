"""How large a picture, or a frame of a film, may be that is opened at all. Nothing but the two numbers."""

# Of each side; where a product's page tells a bound for what a recipe's numbers may say, it is this one.
SIDE_LIMIT_PX = 30_000
# Of all frames together.
PIXELS_LIMIT = 250_000_000
