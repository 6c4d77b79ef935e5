"""Everything of Decant that ships to Lambda."""
