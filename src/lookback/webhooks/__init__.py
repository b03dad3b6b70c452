"""What is posted to addresses that an operator names."""
