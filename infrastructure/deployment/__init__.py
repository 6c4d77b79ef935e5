"""`decant deploy` and `decant destroy`: from an AWS account to a running stage, and back."""
