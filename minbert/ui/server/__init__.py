"""What the running server does beside answering: sessions, what is kept, what it logs."""
