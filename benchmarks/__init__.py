"""What Decant costs beside what people would use instead."""
