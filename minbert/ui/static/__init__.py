"""The page of findings: one HTML file that opens offline."""
