"""Put the program together: the one place that knows every concrete class."""
