"""The surface of the loss around trained weights: slices through it, and its curvature."""
