"""Reading tables that somebody brings."""
