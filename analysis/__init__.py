"""What is computed beyond a stage."""
